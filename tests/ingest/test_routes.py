"""The routes that read and tell, on the embedded store."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from ingest.settings import Settings
from tests.ingest.service import put, serving, unreachable_influx_settings

START_MS = 1_539_112_021_301


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[ClientSession]:
    async with serving(Settings(port=0, data_dir=tmp_path)) as client:
        yield client


async def get(client: ClientSession, path: str, accept: str = "*/*", status: int = 200) -> tuple[str, Any]:
    async with client.get(path, headers={"Accept": accept}) as answer:
        text = await answer.text()
        assert answer.status == status, text
        return text, answer


async def connection(client: ClientSession) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A bare connection to the client's service."""
    url = client._base_url
    assert url is not None
    return await asyncio.open_connection(url.host, url.port)


async def test_the_three_forms_of_get_data(client: ClientSession) -> None:
    await put(client, (START_MS, "a.b.c", "23.50"), (START_MS + 1, "a.b.d", 'x,"y"\n'), (START_MS + 2, "a.b.c", ""))
    rows = [
        {"timestamp": START_MS + 2, "tag": "a.b.c", "valor": "", "status": "erro"},
        {"timestamp": START_MS + 1, "tag": "a.b.d", "valor": 'x,"y"\n', "status": "processado"},
        {"timestamp": START_MS, "tag": "a.b.c", "valor": "23.5", "status": "processado"},
    ]
    text, answer = await get(client, "/get_data")
    assert answer.content_type == "application/json"
    assert json.loads(text) == {"events": rows, "cursor": None}
    text, answer = await get(client, "/get_data", "application/x-ndjson")
    assert answer.content_type == "application/x-ndjson"
    assert [json.loads(line) for line in text.splitlines()] == rows
    text, answer = await get(client, "/get_data", "text/html;q=0.5, text/csv")
    assert answer.content_type == "text/csv"
    assert list(csv.DictReader(io.StringIO(text, newline=""))) == [
        {key: str(value) for key, value in row.items()} for row in rows
    ]


async def test_a_text_is_looked_for_in_tag_and_valor(client: ClientSession) -> None:
    await put(client, (START_MS, "a.b.porta", "aberta"), (START_MS + 1, "a.b.c", "Aberta"), (START_MS + 2, "a.b.c", 7))
    for accept in ("application/json", "application/x-ndjson"):
        for limit in (2, 20_000):
            text, _ = await get(client, f"/get_data?text=ABERT&limit={limit}", accept)
            assert text.count("berta") == 2, text
    assert "porta" in (await get(client, "/get_data?text=orta"))[0]
    assert json.loads((await get(client, "/get_data?text=porta&sensor=c"))[0]) == {"events": [], "cursor": None}


async def test_nothing_found_is_no_error(client: ClientSession) -> None:
    assert json.loads((await get(client, "/get_data"))[0]) == {"events": [], "cursor": None}
    assert (await get(client, "/get_data", "application/x-ndjson"))[0] == ""
    assert (await get(client, "/get_data", "text/csv"))[0] == "timestamp,tag,valor,status\r\n"
    assert (await get(client, "/counts", "text/plain"))[0] == ""


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson", "text/csv"])
async def test_following_the_link_shows_every_event_once(client: ClientSession, accept: str) -> None:
    await put(client, *((START_MS + i // 4, f"a.b.s{i}", i) for i in range(10)))
    path, seen = "/get_data?limit=3&country=a", []
    while path:
        text, answer = await get(client, path, accept)
        seen += _tags(text, accept)
        link = answer.links.get("next")
        path = str(link["url"].relative()) if link else ""
    assert sorted(seen) == sorted(f"a.b.s{i}" for i in range(10))


def _tags(text: str, accept: str) -> list[str]:
    if accept == "text/csv":
        return [row["tag"] for row in csv.DictReader(io.StringIO(text))]
    rows = (
        json.loads(text)["events"] if accept == "application/json" else [json.loads(line) for line in text.splitlines()]
    )
    return [row["tag"] for row in rows]


async def test_an_answer_of_many_pages_is_one_document(client: ClientSession) -> None:
    for part in range(3):
        await put(client, *((START_MS + part * 10_000 + i, "a.b.c", "") for i in range(9_000)))
    document = json.loads((await get(client, "/get_data?limit=26000"))[0])
    times = [row["timestamp"] for row in document["events"]]
    assert len(times) == 26_000
    assert times == sorted(set(times), reverse=True)
    rest = json.loads((await get(client, f"/get_data?limit=10000&cursor={document['cursor']}"))[0])
    assert (len(rest["events"]), rest["cursor"]) == (1000, None)


async def test_times_are_milliseconds_or_iso_8601(client: ClientSession) -> None:
    await put(client, (START_MS, "a.b.c", "1"), (START_MS + 1000, "a.b.c", "2"))
    for query in (
        "start=1539112022301",
        "start=2018-10-09T19:07:02.301Z",
        "start=2018-10-09T16:07:02.301-03:00",
        "start=2018-10-09T19:07:02.301",
    ):
        events = json.loads((await get(client, f"/get_data?{query}"))[0])["events"]
        assert [event["valor"] for event in events] == ["2"], query


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=x",
        "limit=",
        "start=x",
        "stop=9" + "0" * 30,
        "cursor=x",
        "cursor=1~-1~a",
        "status=ok",
        "sensor=",
        "region=a'b",
        "country=a%20b",
    ],
)
async def test_a_bad_parameter_is_named(client: ClientSession, query: str) -> None:
    answer = json.loads((await get(client, f"/get_data?{query}", status=400))[0])
    assert answer["code"] == "bad_parameter"
    assert answer["message"].startswith(query.partition("=")[0])


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/get_data?sensro=a", "'sensro' is no parameter of this route, which has country, cursor, limit, region,"),
        ("/get_data?sensor=a&sensor=b", "sensor stands twice"),
        (
            "/counts?text=a",
            "'text' is no parameter of this route, which has country, region, sensor, start, status, stop",
        ),
        ("/series?path=a&path=b&limit=1", "'limit' is no parameter"),
        ("/series?path=a&step=1000&step=1000", "step stands twice"),
        ("/events/stream?limit=1", "'limit' is no parameter"),
        ("/counts?" + "x" * 5000 + "=1", f"{'x' * 40!r} is no"),
    ],
)
async def test_a_parameter_that_there_is_not_is_named(client: ClientSession, path: str, said: str) -> None:
    answer = json.loads((await get(client, path, status=400))[0])
    assert answer["code"] == "bad_parameter"
    assert answer["message"].startswith(said)


async def test_influxdbs_clients_may_say_what_they_like(client: ClientSession) -> None:
    line = "events,country=a,region=b,sensor=c value=1"
    for path in ("/api/v2/write?bucket=b&org=o&orgID=1&precision=ns&new=1", "/write?db=d&rp=r&u=u&p=p&consistency=any"):
        async with client.post(path, data=line) as answer:
            assert answer.status == 204


async def test_counts_as_json_and_as_the_seed_writes_them(client: ClientSession) -> None:
    await put(client, *((START_MS + i, f"brasil.{('sul', 'norte')[i % 2]}.sensor{i % 4}", i) for i in range(10)))
    counts = json.loads((await get(client, "/counts"))[0])
    assert counts["events"] == 10
    assert counts["regions"][1] == {
        "path": "brasil.sul",
        "events": 5,
        "sensors": [{"path": "brasil.sul.sensor0", "events": 3}, {"path": "brasil.sul.sensor2", "events": 2}],
    }
    text, _ = await get(client, "/counts?region=norte", "text/plain")
    assert text.splitlines() == ["brasil.norte - 5", "brasil.norte.sensor1 - 3", "brasil.norte.sensor3 - 2"]


async def test_health_readiness_and_metrics(client: ClientSession) -> None:
    await put(client, (START_MS, "a.b.c", "1"), (START_MS, "a.b.c", "1"))
    async with client.post("/events", json=[{"timestamp": 0}]) as answer:
        assert answer.status == 400
    assert json.loads((await get(client, "/health"))[0]) == {"status": "pass"}
    assert json.loads((await get(client, "/ready"))[0]) == {"ready": True, "reasons": [], "warnings": []}
    text, _ = await get(client, "/metrics")
    for line in (
        "ingest_events_received_total 3.0",
        "ingest_events_accepted_total 2.0",
        'ingest_events_rejected_total{reason="tag_missing"} 1.0',
        "ingest_events_stored_total 1.0",
        "ingest_ack_seconds_count 1.0",
        "ingest_spool_points 0.0",
    ):
        assert line in text.splitlines(), f"{line} is not in\n{text}"


async def test_paths_and_methods_that_are_not_there(client: ClientSession) -> None:
    assert json.loads((await get(client, "/nothing", status=404))[0]) == {
        "code": "not found",
        "message": "there is nothing at /nothing; try /view_sensor, /get_data, /counts, /ready or /metrics,"
        " and POST to /events",
    }
    text, answer = await get(client, "/events", status=405)
    assert json.loads(text)["message"] == "/events takes POST, not GET"
    assert answer.headers["Allow"] == "POST"


async def test_a_body_that_never_comes_is_given_up(tmp_path: Path) -> None:
    async with serving(Settings(port=0, data_dir=tmp_path, body_timeout_seconds=0.2)) as client:
        reader, writer = await connection(client)
        writer.write(b"POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        async with asyncio.timeout(5):
            assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")
        writer.close()
        assert 'ingest_events_rejected_total{reason="body_too_slow"} 1.0' in (await get(client, "/metrics"))[0]


async def test_a_client_that_goes_away_is_no_error(client: ClientSession, caplog: pytest.LogCaptureFixture) -> None:
    for part in range(5):
        await put(client, *((START_MS + part * 1000 + i, "a.b.c", "x" * 1000) for i in range(900)))
    for request in (
        b"POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
        b"GET /get_data?limit=5000 HTTP/1.1\r\nHost: x\r\n\r\n",
    ):
        _, writer = await connection(client)
        writer.write(request)
        await asyncio.sleep(0.1)
        writer.transport.abort()
        await asyncio.sleep(0.2)
    assert caplog.records == []


async def test_a_store_that_is_away_is_said_but_events_are_taken(tmp_path: Path) -> None:
    async with serving(unreachable_influx_settings(tmp_path)) as client:
        await put(client, (START_MS, "a.b.c", "1"))
        text, answer = await get(client, "/ready", status=503)
        assert any("InfluxDB does not answer" in reason for reason in json.loads(text)["reasons"])
        text, answer = await get(client, "/get_data", status=503)
        assert json.loads(text)["code"] == "store_unavailable"
        assert answer.headers["Retry-After"]
        assert "ingest_spool_points 1.0" in (await get(client, "/metrics"))[0]


async def test_a_full_spool_answers_503_and_says_when_to_come_back(tmp_path: Path) -> None:
    body = "".join(f"m v={number} {1_760_000_000_000_000_000 + number}\n" for number in range(34_000))
    async with serving(unreachable_influx_settings(tmp_path, spool_max_bytes=2**20)) as client:
        async with client.post("/write", data=body) as answer:
            assert answer.status == 204
        async with client.post("/write", data=body) as answer:
            assert answer.status == 503
            assert answer.headers["Retry-After"] == "5"
            assert (await answer.json())["code"] == "unavailable"
        assert 'ingest_events_rejected_total{reason="spool_full"} 1.0' in (await get(client, "/metrics"))[0]


async def test_the_embedded_store_refuses_other_measurements_with_a_reason(client: ClientSession) -> None:
    async with client.post("/write", data="cpu v=1\nevents,country=a,region=b,sensor=c value=1") as answer:
        assert answer.status == 400
        assert "keeps the measurement events only" in (await answer.json())["message"]
    assert json.loads((await get(client, "/counts"))[0])["events"] == 1


async def test_head_has_no_body_that_would_pass_for_the_next_answer(client: ClientSession) -> None:
    reader, writer = await connection(client)
    for path in ("/get_data", "/events/stream", "/counts", "/view_sensor", "/metrics"):
        writer.write(f"HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
        assert head.startswith(b"HTTP/1.1 "), (path, head)
    writer.close()
