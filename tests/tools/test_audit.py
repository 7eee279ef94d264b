"""``make audit`` with the real ``uv`` in front of a database that the test knows."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tools import audit
from tools.influx_server import free_port

ADVISORY = {
    "id": "TEST-1",
    "summary": "a bad one",
    "modified": "2026-01-01T00:00:00Z",
    "affected": [{"package": {"name": "aiohttp", "ecosystem": "PyPI"}}],
}


@contextmanager
def database(*vulnerable: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """The URL of one that knows of these packages, and what it was asked for."""
    asked: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            queries = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
            asked.extend((query["package"]["name"], query["version"]) for query in queries)
            known = {"vulns": [{"id": ADVISORY["id"], "modified": ADVISORY["modified"]}]}
            self._answer({"results": [known if query["package"]["name"] in vulnerable else {} for query in queries]})

        def do_GET(self) -> None:
            self._answer(ADVISORY)

        def _answer(self, value: Any) -> None:
            body = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing: the test says what matters."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def test_every_locked_version_is_asked_for(capfd: pytest.CaptureFixture[str]) -> None:
    with database() as (url, asked):
        assert audit.main(["--service-url", url]) == 0, capfd.readouterr().err
    for lock in (audit.LOCK, audit.LOCK.with_name("requirements.lock")):
        locked = re.findall(r"^([a-z0-9-]+)==([^ ]+) ", lock.read_text(), re.MULTILINE)
        assert len(locked) > 20
        assert set(locked) <= set(asked)


def test_a_known_vulnerability_is_named_and_fails(capfd: pytest.CaptureFixture[str]) -> None:
    with database("aiohttp") as (url, _):
        assert audit.main(["--service-url", url]) == 1
    said = capfd.readouterr().out
    assert "aiohttp" in said
    assert "TEST-1: a bad one" in said


def test_a_database_that_does_not_answer_is_no_pass(capfd: pytest.CaptureFixture[str]) -> None:
    assert audit.main(["--service-url", f"http://127.0.0.1:{free_port()}"]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert re.match(r"make audit: nothing was audited: .*127\.0\.0\.1.*refused", line), line
