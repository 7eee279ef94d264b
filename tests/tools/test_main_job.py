"""`make run`, where it cannot."""

import os
import subprocess
import sys


def test_with_tokens_it_says_what_to_do_and_starts_nothing() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "tools.main_job"],
        env=os.environ | {"INGEST_TOKENS": "me:all:0123456789abcdef"},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "make run: its sensors send no token over plain HTTP: unset INGEST_TOKENS\n"
