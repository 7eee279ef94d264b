"""InfluxDB is the judge: ingest takes what it takes, and what it then stores is what it stores of the line itself."""

import asyncio
import csv
import io
import re
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from aiohttp import ClientSession
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ingest.event import number
from tests.ingest.service import influx_settings, serving
from tests.ingest.strategies import TEXTS
from tools import influx_server as influx
from tools.influx_server import InfluxServer

_PIECES = [
    *"ab,=\\ \"#\t\r\0é😀.-:/{}'%",
    "\\,",
    "\\=",
    "\\ ",
    '\\"',
    "\\\\",
    "\\n",
    "\u202e",
    "_field",
    "time",
    "t",
    "1",
]
# Of a stray quote among the fields InfluxDB makes what it likes, and drops the rest; ingest refuses it.
_QUOTELESS = [piece for piece in _PIECES if '"' not in piece]
_PLAIN_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_VALUES = ["1", "-1.5", "1e3", "1i", "-7i", "9223372036854775807i", "3u", "18446744073709551615u", "t", "FALSE", "true"]
_BAD_VALUES = ["nan", "1.2.3", "0x10", "1_0", "1e999", "9223372036854775808i", "-1u", "maybe", "", "'x'", "٣"]
_TIME_NS = 1_760_000_000_000_000_000


class Judge:
    """Writes lines straight to a bucket, and reads a bucket whole."""

    def __init__(self, server: InfluxServer, client: ClientSession) -> None:
        self._server = server
        self._client = client

    async def takes(self, bucket: str, line: bytes) -> bool:
        query = {"org": self._server.org, "bucket": bucket}
        async with self._client.post("/api/v2/write", params=query, data=line) as answer:
            assert answer.status in (204, 400, 422), f"{line!r}: {await answer.text()}"
            return answer.status == 204

    async def holds(self, bucket: str) -> list[list[str]]:
        """Time, measurement, tags, field and value with its type of every point that has one of our times, sorted."""
        flux = f'from(bucket: "{bucket}") |> range(start: 2025-01-01T00:00:00Z, stop: 2026-01-01T00:00:00Z)'
        body = {"query": flux, "dialect": {"annotations": ["datatype"]}}
        async with self._client.post("/api/v2/query", params={"org": self._server.org}, json=body) as answer:
            assert answer.status == 200, await answer.text()
            return sorted(_points(await answer.text()))

    async def texts(self, bucket: str) -> list[str]:
        """The field ``text`` of all events, in order of time, as JSON, which alters no line break."""
        query = {"db": bucket, "q": "SELECT text FROM events", "epoch": "ns"}
        async with self._client.get("/query", params=query) as answer:
            (series,) = (await answer.json())["results"][0]["series"]
            return [text for _, text in series["values"]]


def _points(text: str) -> list[list[str]]:
    points, types, names = [], [""], [""]
    for row in csv.reader(io.StringIO(text, newline="")):
        if row and row[0] == "#datatype":
            types, names = row, []
        elif row and not names:
            names = row
        elif row:
            columns = zip(types, names, row, strict=True)
            kept = [column for column in columns if column[1] not in ("", "result", "table", "_start", "_stop")]
            points.append([" ".join(column) for column in sorted(kept, key=lambda column: column[1])])
    return points


@pytest.fixture
async def judge(influx_server: InfluxServer) -> AsyncIterator[Judge]:
    headers = {"Authorization": f"Token {influx_server.token}"}
    async with ClientSession(influx_server.url, headers=headers) as client:
        yield Judge(influx_server, client)


def _text(random: Random, pieces: Sequence[str]) -> str:
    return "".join(random.choice(pieces) for _ in range(random.randint(0, 5)))


def _value(random: Random, *, stray_quotes: bool) -> str:
    if random.random() < 0.1:
        return random.choice(_BAD_VALUES)
    if random.random() < 0.5:
        return random.choice(_VALUES)
    string = f'"{_text(random, _PIECES)}{random.choice(["", chr(10)])}{_text(random, _PIECES)}"'
    return string if stray_quotes or _PLAIN_STRING.fullmatch(string) else f'"{string.replace(chr(34), "")}"'


def a_line(random: Random, number: int, *, stray_quotes: bool = False) -> bytes:
    """A line that is often right; its measurement is its own, so that no field has two types."""
    pieces = _PIECES if stray_quotes else _QUOTELESS

    def text() -> str:
        return _text(random, pieces)

    tags = "".join(f",{text()}={text()}" for _ in range(random.choice((0, 0, 1, 2))))
    fields = ",".join(
        f"{text()}f{i}={_value(random, stray_quotes=stray_quotes)}" for i in range(random.choice((1, 1, 2)))
    )
    end = random.choice(("", "", "", "\n", " ", "x", " #", "\\"))
    return f"m{number}{text()}{tags} {fields} {_TIME_NS + number}{end}".encode()


async def test_ingest_takes_and_stores_what_influxdb_does(
    judge: Judge, influx_server: InfluxServer, influx_bucket: str, tmp_path: Path
) -> None:
    seed = Random(time.time_ns()).randrange(10**6)
    lines = [a_line(Random(f"{seed} {number}"), number) for number in range(600)]
    straight = f"judge-{secrets.token_hex(4)}"
    influx.make_bucket(influx_server, straight)
    async with serving(influx_settings(tmp_path, influx_server, influx_bucket)) as service:
        wrong = [line for line in lines if await judge.takes(straight, line) != await _taken(service, line)]
        assert not wrong, f"seed {seed}: only one of the two took {wrong[:3]}"
        odd = [a_line(Random(f"odd {seed} {number}"), number, stray_quotes=True) for number in range(600, 900)]
        taken = [line for line in odd if await _taken(service, line)]
        refused = [line for line in taken if not await judge.takes(straight, line)]
        assert taken
        assert not refused, f"seed {seed}: ingest took what InfluxDB refuses: {refused[:3]}"
        await shipped(service)
    hold_alike(await judge.holds(straight), await judge.holds(influx_bucket), seed)


async def shipped(service: ClientSession) -> None:
    """Wait until InfluxDB has everything."""
    async with asyncio.timeout(60):
        while True:
            async with service.get("/metrics") as answer:
                if "ingest_spool_points 0.0" in (await answer.text()).splitlines():
                    return
            await asyncio.sleep(0.05)


async def _taken(service: ClientSession, line: bytes) -> bool:
    async with service.post("/api/v2/write", data=line) as answer:
        assert answer.status in (204, 400), f"{line!r}: {await answer.text()}"
        return answer.status == 204


def hold_alike(straight: Sequence[list[str]], shipped: Sequence[list[str]], seed: int) -> None:
    assert len(straight) > 100, f"seed {seed}: hardly any line was right"
    assert straight == shipped, f"seed {seed}"


@given(texts=st.lists(TEXTS.filter(lambda text: number(text) is None), min_size=1, max_size=20, unique=True))
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(texts=["a\nb", "\n", "a\r\nb", "\r", "\\", 'a"b', '"', '\\"', "a\\"])
@example(texts=["\0", "😀", "# a", "a,b=c d", "\u202e", "x" * 60_000])
async def test_a_text_is_stored_as_it_was_sent(texts: list[str], judge: Judge, influx_server: InfluxServer) -> None:
    bucket = f"texts-{secrets.token_hex(8)}"
    influx.make_bucket(influx_server, bucket)
    influx.make_bucket(influx_server, f"{bucket}-rollup")
    events = [
        {"timestamp": _TIME_NS // 10**6 + place, "tag": "a.b.c", "valor": text} for place, text in enumerate(texts)
    ]
    with TemporaryDirectory() as folder:
        async with (
            serving(influx_settings(Path(folder), influx_server, bucket)) as service,
            service.post("/events", json=events) as answer,
        ):
            assert await answer.json() == {"accepted": len(texts), "rejected": []}, texts
            await shipped(service)
    shown = ["" if text.isspace() else text for text in texts]
    assert await judge.texts(bucket) == shown
