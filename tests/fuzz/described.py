"""Schemathesis: requests that ``/openapi.yaml`` describes or forbids; the answers must be what it says."""

import re
import subprocess
import sys
from pathlib import Path

# A stream has no end. What is right by the schema can still be refused: a tag's letters, a time in the future.
_OPTIONS = (
    "--exclude-path",
    "/events/stream",
    "--exclude-checks",
    "positive_data_acceptance",
    "--report-dir",
    "report",
)


def hold(url: str, folder: Path, *, examples: int, seed: int, token: str) -> int:
    """How many requests were sent; AssertionError, with all that Schemathesis says, if an answer is not as described.

    ``examples`` are of each operation; ``folder`` is for what the program writes.
    """
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.yaml", *_OPTIONS]
    limits = ["--max-examples", str(examples), "--seed", str(seed), "--phases", "examples,coverage,fuzzing"]
    ended = subprocess.run(
        [*command, *limits, "--header", f"Authorization: Bearer {token}", "--request-timeout", "30"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, f"seed {seed}:\n{ended.stdout}\n{ended.stderr}"
    return int(re.findall(r"(\d+) generated", ended.stdout)[0])
