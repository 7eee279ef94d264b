"""Every folder of tests/cases: a request, the lines it must leave in the spool, the answer it must get.

``request`` is the body; ``<<x*5>>`` in it stands for five times x. ``case.toml`` has what is not usual: ``path``,
``content_type``, ``content_encoding``, ``transform`` (what is done to the body before it is sent).
"""

import asyncio
import gzip
import json
import re
import time
import tomllib
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from ingest.spool.file import FILE_NAME
from ingest.spool.segment import Record, scanned
from ingest.sqlite import connect
from tests.ingest.service import serving, unreachable_influx_settings

CASES = sorted(Path(__file__).parents[1].joinpath("cases").iterdir())
REPEAT = re.compile(rb"<<(.)\*(\d+)>>")
TRANSFORMS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda body: gzip.compress(body, mtime=0),
    "gzip-truncated": lambda body: gzip.compress(body, mtime=0)[:-10],
    "gzip-and-rubbish": lambda body: gzip.compress(body, mtime=0) + b"rubbish",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def spooling(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[ClientSession, Path]]:
    folder = tmp_path_factory.mktemp("cases")
    async with serving(unreachable_influx_settings(folder)) as client:
        yield client, folder


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_case(case: Path, spooling: tuple[ClientSession, Path]) -> None:
    client, folder = spooling
    # The last case is of an earlier millisecond.
    await asyncio.sleep(0.002)
    before, started_ms = len(_records(folder)), time.time_ns() // 1_000_000
    answer = await _answer(case, client)
    lines = b"".join([*_records(folder)[before:], *_rows_since(folder, started_ms)])
    assert lines == case.joinpath("expected.lp").read_bytes(), (
        f"sent {case / 'request'}, these lines came: {lines[:2000]!r}"
    )
    assert answer == json.loads(case.joinpath("expected.json").read_text()), f"sent {case / 'request'}"


async def _answer(case: Path, client: ClientSession) -> dict[str, Any]:
    file = case / "case.toml"
    spec = tomllib.loads(file.read_text()) if file.exists() else {}
    body = REPEAT.sub(lambda match: match[1] * int(match[2]), case.joinpath("request").read_bytes())
    headers = {"Content-Type": spec.get("content_type", "application/json")}
    if "transform" in spec:
        body = TRANSFORMS[spec["transform"]](body)
        headers["Content-Encoding"] = "gzip"
    if "content_encoding" in spec:
        headers["Content-Encoding"] = spec["content_encoding"]
    # aiohttp would otherwise encode a body whose encoding it is told.
    skipped = [name for name, value in headers.items() if not value]
    sent = {name: value for name, value in headers.items() if value}
    async with client.post(
        spec.get("path", "/events"), data=_stream(body), headers=sent, skip_auto_headers=skipped
    ) as response:
        text = await response.text()
        return {"status": response.status, "answer": json.loads(text) if text else None}


async def _stream(body: bytes) -> AsyncIterator[bytes]:
    yield body


def _records(folder: Path) -> list[bytes]:
    """What is in the journal, which keeps what is moved to the backlog until a file of it is full."""
    records: list[bytes] = []
    for path in sorted(folder.glob("journal-[0-9]*")):
        found = scanned(path.read_bytes(), int(path.name.rpartition("-")[2]))
        records += [record.lines for record in found if isinstance(record, Record)]
    return records


def _rows_since(folder: Path, time_ms: int) -> list[bytes]:
    """What has come to the backlog and was not moved there: that is older."""
    with closing(connect(folder / FILE_NAME)) as connection:
        rows = connection.execute("SELECT lines FROM spool WHERE time_ms >= ? ORDER BY id", (time_ms,))
        return [lines for (lines,) in rows]
