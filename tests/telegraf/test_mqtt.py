"""From a real broker through the real Telegraf to a real InfluxDB: the same guarantees as over HTTP."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from ingest.settings import Settings
from tests.ingest.service import influx_settings, serving
from tests.telegraf.agent import Agent
from tests.telegraf.broker import Broker
from tools.influx_server import InfluxServer, call, free_port

START_MS = 1_539_112_021_301
TOPIC = "sensors/brasil/sudeste/sensor01"
TAG = "brasil.sudeste.sensor01"
GATEWAY = "gateway-0123456789"


@pytest.fixture
def settings(tmp_path: Path, influx_server: InfluxServer, influx_bucket: str) -> Settings:
    """Of a service that can be stopped and found again where it was."""
    return influx_settings(
        tmp_path / "ingest",
        influx_server,
        influx_bucket,
        port=free_port(),
        tokens=f"gateway:write:{GATEWAY}",
        allow_anonymous=True,
        max_refused_messages_a_minute=10_000,
    )


@pytest.fixture
def agent(tmp_path: Path, broker: Broker, settings: Settings) -> Iterator[Agent]:
    """Telegraf, connected to the broker, whether or not there is an ingest; what it says of the broker goes nowhere."""
    token = tmp_path / "telegraf.token"
    token.write_text("no-token")
    gateway = tmp_path / "gateway.token"
    gateway.write_text(f"{GATEWAY}\n")
    agent = Agent(
        "mqtt.conf",
        tmp_path,
        PULSO_TELEGRAF_TOKEN_FILE=str(token),
        PULSO_INGEST_TOKEN_FILE=str(gateway),
        PULSO_INFLUX_URL=f"http://127.0.0.1:{free_port()}",
        PULSO_MQTT_URL=broker.url,
        PULSO_INGEST_URL=f"http://{settings.host}:{settings.port}",
    )
    try:
        agent.start()
        yield agent
    finally:
        agent.stop()


async def stored(client: ClientSession, expected: int, seconds: float = 20) -> list[dict[str, Any]]:
    """All events of the store, once there are as many as expected."""
    deadline = time.monotonic() + seconds
    while True:
        async with client.get("/get_data", params={"limit": "100000"}) as answer:
            events: list[dict[str, Any]] = (await answer.json())["events"] if answer.status == 200 else []
        if len(events) >= expected or time.monotonic() > deadline:
            return events
        await asyncio.sleep(0.1)


def message(number: int, valor: Any) -> str:
    return json.dumps({"timestamp": START_MS + number, "valor": valor})


# valor as the payload has it, and as it is read back with its status.
VALORES = [
    ('"23.5"', "23.5", "processado"),
    ("23.50", "23.5", "processado"),
    ("-1e3", "-1000", "processado"),
    ("12345678901234567890123", "1.2345678901234568e+22", "processado"),
    ('"a \\"b\\" \\\\ c\\nd, e=f"', 'a "b" \\ c\nd, e=f', "processado"),
    ('"nan"', "nan", "processado"),
    ('"0x10"', "0x10", "processado"),
    ('"12,5"', "12,5", "processado"),
    ('"São Paulo ☔"', "São Paulo ☔", "processado"),
    ('""', "", "erro"),
    ('"  "', "", "erro"),
    ("null", "", "erro"),
]


async def test_every_kind_of_valor_arrives_as_over_http(broker: Broker, agent: Agent, settings: Settings) -> None:
    async with serving(settings) as client:
        payloads = [
            f'{{"timestamp": {START_MS + number}, "tag": "{TAG}", "valor": {valor}}}'
            for number, (valor, _, _) in enumerate(VALORES)
        ]
        await asyncio.to_thread(broker.publish, TOPIC, [*payloads, f'{{"timestamp": {START_MS + len(VALORES)}}}'])
        pretty = json.dumps({"timestamp": START_MS + 50, "valor": "ok"}, indent=2).encode()
        await asyncio.to_thread(broker.publish_bytes, "sensors/brasil/são-paulo/s-1", pretty)
        events = await stored(client, len(VALORES) + 2)
    expected = [
        {"timestamp": START_MS + number, "tag": TAG, "valor": valor, "status": status}
        for number, (_, valor, status) in enumerate([*VALORES, ("", "", "erro")])
    ] + [{"timestamp": START_MS + 50, "tag": "brasil.são-paulo.s-1", "valor": "ok", "status": "processado"}]
    assert sorted(events, key=lambda event: event["timestamp"]) == expected, agent.log()


REFUSED = [
    (TOPIC, b"", "empty_body"),
    (TOPIC, b'{"timestamp": 1539112021301, "valor"', "invalid_json"),
    (TOPIC, b"\xff\xfe\x00", "invalid_utf8"),
    (TOPIC, b'{"timestamp": 1539112021, "valor": "1"}', "timestamp_too_old"),
    (TOPIC, b'{"timestamp": 1539112021301, "tag": "brasil.sul.other", "valor": "1"}', "tag_topic"),
    (TOPIC, b'{"timestamp": 1539112021301, "valor": [1]}', "valor_type"),
    ("sensors/brasil/a b, c=d\\/x", b'{"timestamp": 1539112021301}', "tag_characters"),
    ("sensors/brasil//x", b'{"timestamp": 1539112021301}', "tag_empty_segment"),
    ("sensors/brasil/x/" + "y" * 65_500, b'{"timestamp": 1539112021301}', "tag_too_long"),
    (TOPIC, b'{"timestamp": 1539112021301, "valor": "' + b"x" * 100_000 + b'"}', "valor_too_long"),
]


async def test_what_is_no_event_is_counted_kept_with_its_reason_and_in_nobodys_way(
    broker: Broker, agent: Agent, settings: Settings, influx_server: InfluxServer
) -> None:
    async with serving(settings) as client:
        for topic, payload, _ in REFUSED:
            await asyncio.to_thread(broker.publish_bytes, topic, payload)
        # More than the broker lets be under way at once: not one may wait for an acknowledgement.
        await asyncio.to_thread(broker.publish, TOPIC, ["rubbish"] * 2_500)
        await asyncio.to_thread(broker.publish, TOPIC, [message(0, "good")])
        events = await stored(client, 1)
        assert [event["valor"] for event in events] == ["good"], agent.log()
        metrics = await (await client.get("/metrics")).text()
        kept = await refusals(influx_server, settings.influx_bucket, len(REFUSED) + 2_500)
    codes = [row["code"] for row in kept]
    assert codes[: len(REFUSED)] == [code for _, _, code in REFUSED]
    assert codes[len(REFUSED) :] == ["invalid_json"] * 2_500
    assert kept[1]["payload"] == '{"timestamp": 1539112021301, "valor"'
    assert (kept[4]["path"], kept[4]["reason"]) == (
        TAG,
        f"the payload's tag is brasil.sul.other, but the topic's sensor is {TAG}",
    )
    assert "ingest_events_received_total 2511.0" in metrics
    assert 'ingest_token_last_used_timestamp_seconds{client="gateway"} 1' in metrics, "Telegraf sent no token"
    assert 'ingest_events_rejected_total{reason="tag_topic"} 1.0' in metrics


async def refusals(server: InfluxServer, bucket: str, expected: int) -> list[dict[str, Any]]:
    """What was kept of refused messages, in order of arrival."""
    deadline = time.monotonic() + 20
    while True:
        parameters = {"db": bucket, "q": "SELECT code, path, reason, payload FROM refused_messages"}
        answer = await asyncio.to_thread(call, server, "GET", "/query", None, parameters)
        (series,) = answer["results"][0].get("series", [{"columns": [], "values": []}])
        rows = [dict(zip(series["columns"], row, strict=True)) for row in series["values"]]
        if len(rows) >= expected or time.monotonic() > deadline:
            return rows
        await asyncio.sleep(0.1)


async def test_a_thousand_messages_are_a_thousand_events(broker: Broker, agent: Agent, settings: Settings) -> None:
    async with serving(settings) as client:
        await publish_thousand(broker)
        await there_are_a_thousand(client, agent)


async def test_none_is_lost_or_doubled_when_ingest_is_away_for_a_while(
    broker: Broker, agent: Agent, settings: Settings
) -> None:
    async with serving(settings) as client:
        await publish_thousand(broker, 0, 400)
        assert len(await stored(client, 400)) == 400
    await publish_thousand(broker, 400, 700)
    # Time to fail, and for Telegraf to try again and again.
    await asyncio.sleep(1.5)
    async with serving(settings) as client:
        await publish_thousand(broker, 700)
        await there_are_a_thousand(client, agent)


async def test_none_is_lost_or_doubled_when_telegraf_is_killed_and_the_broker_restarts(
    broker: Broker, agent: Agent, settings: Settings
) -> None:
    await publish_thousand(broker, 0, 300)
    agent.kill()
    await publish_thousand(broker, 300, 600)
    broker.stop()
    broker.start()
    async with serving(settings) as client:
        agent.start()
        await publish_thousand(broker, 600)
        await there_are_a_thousand(client, agent)


async def publish_thousand(broker: Broker, start: int = 0, stop: int = 1000) -> None:
    """The part of 1000 messages of ten sensors from ``start`` up to, not including, ``stop``."""
    numbers = [[number for number in range(start, stop) if number % 10 == sensor] for sensor in range(10)]
    await asyncio.gather(
        *(
            asyncio.to_thread(broker.publish, f"sensors/brasil/sul/s{sensor}", [message(n, str(n)) for n in mine])
            for sensor, mine in enumerate(numbers)
        )
    )


async def there_are_a_thousand(client: ClientSession, agent: Agent) -> None:
    events = await stored(client, 1000)
    await asyncio.sleep(0.5)
    again = await stored(client, 1000)
    assert sorted((event["timestamp"] - START_MS, event["tag"], event["valor"]) for event in again) == [
        (number, f"brasil.sul.s{number % 10}", str(number)) for number in range(1000)
    ], f"{len(events)} events at first, {len(again)} at last; {agent.log()}"
