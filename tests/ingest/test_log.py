import json
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from ingest import log

ESCAPES = "\x1b]0;pwned\x07\x9b31m\u202e"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_what_a_sender_wrote_cannot_write_to_the_operators_terminal(
    log_format: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False)
    log.configure(log_format)
    structlog.get_logger("write").warning("messages_refused", path=ESCAPES, reason=f"not {ESCAPES}")
    logging.getLogger("aiohttp.server").error("bad line %s", ESCAPES)
    told = capfd.readouterr().err
    assert len(told.splitlines()) == 2, told
    assert all(line.isprintable() for line in told.splitlines()), repr(told)
    if log_format == "json":
        assert [json.loads(line)["event"] for line in told.splitlines()] == [
            "messages_refused",
            f"bad line {ESCAPES}",
        ]
