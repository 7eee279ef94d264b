"""A broker's messages follow the rules of `POST /events`, whatever they hold."""

import json
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from ingest.decode import RefusedMessage
from ingest.decode.json_events import JsonDecoder
from ingest.decode.mqtt_messages import Message, MessageDecoder
from ingest.event import Event
from ingest.fields import escape_string
from ingest.line_parser import Line, parse_lines
from ingest.rules import Limits, Rules
from ingest.series.registry import Registry, SeriesLimits
from ingest.settings import Settings
from tests.ingest.service import serving

NOW_MS = 1_760_000_000_000
NOW_NS = NOW_MS * 1_000_000
TAG = "brasil.sudeste.sensor01"
RULES = Rules(Limits(631_152_000_000, 86_400_000, 0, 64), lambda: NOW_MS, Registry(SeriesLimits()))

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=4)
timestamps = st.integers(NOW_MS - 10**6, NOW_MS + 10**6) | values
events = st.fixed_dictionaries({"tag": st.just(TAG)}, optional={"timestamp": timestamps, "valor": values, "x": values})
payloads = events.map(lambda event: json.dumps(event).encode()) | values.map(json.dumps).map(str.encode) | st.binary()


def line(payload: bytes, time: int = 5) -> Line:
    """The line that Telegraf writes for it."""
    text = payload.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    body = b'mqtt_message payload="%b",country="brasil",region="sudeste",sensor="sensor01" %d\n' % (text, time)
    (parsed,) = parse_lines(body)
    assert isinstance(parsed, Line), body
    return parsed


@given(payloads.filter(lambda payload: not payload.lstrip().startswith(b"[")))
def test_a_message_becomes_what_the_same_body_becomes(payload: bytes) -> None:
    over_http = JsonDecoder(RULES).thorough(payload)
    by_mqtt = MessageDecoder(RULES).decode(line(payload), NOW_NS, NOW_NS)
    if over_http.events:
        assert isinstance(by_mqtt, Message), payload
        assert by_mqtt.event == over_http.events[0]
    else:
        assert isinstance(by_mqtt, RefusedMessage), payload
        (rejected,) = over_http.rejects.listed
        assert (by_mqtt.reject.code, by_mqtt.reject.reason) == (rejected.code, rejected.reason), payload


@pytest.mark.parametrize(("time_ns", "kept_at"), [(NOW_NS - 7 * 10**9 + 5,) * 2, (1_234, NOW_NS + 1_234)])
@given(payload=st.binary(max_size=6_000))
def test_what_is_kept_of_a_refused_message_is_one_line_that_influxdb_can_read(
    time_ns: int, kept_at: int, payload: bytes
) -> None:
    refused = MessageDecoder(RULES).decode(line(payload), time_ns, NOW_NS)
    assert isinstance(refused, RefusedMessage)
    (parsed,) = parse_lines(refused.line)
    assert isinstance(parsed, Line), refused.line
    assert parsed.key == f"refused_messages,code={refused.reject.code}".encode()
    assert parsed.time == kept_at
    kept = escape_string(payload.decode(errors="replace")[:4_096])
    assert f'payload="{kept}'.encode() in parsed.fields


def test_a_missing_tag_is_the_topics() -> None:
    payload = json.dumps({"timestamp": NOW_MS, "valor": "1"}).encode()
    message = MessageDecoder(RULES).decode(line(payload), NOW_NS, NOW_NS)
    assert isinstance(message, Message), message
    assert message.event == Event(NOW_MS, TAG, "1")


async def test_with_the_embedded_store_a_refused_message_is_counted_and_logged(tmp_path: Path) -> None:
    good: dict[str, Any] = {"timestamp": NOW_MS, "valor": "1"}
    body = b"".join(b"mqtt_message %b 5\n" % line(payload).fields for payload in (b"bad", json.dumps(good).encode()))
    with structlog.testing.capture_logs() as logs:
        async with serving(Settings(port=0, data_dir=tmp_path)) as client:
            async with client.post("/api/v2/write", data=body) as answer:
                assert answer.status == 204, await answer.text()
            stored = await (await client.get("/get_data")).json()
            metrics = await (await client.get("/metrics")).text()
    assert stored["events"] == [{"timestamp": NOW_MS, "tag": TAG, "valor": "1", "status": "processado"}]
    assert "ingest_events_received_total 2.0" in metrics
    assert 'ingest_events_rejected_total{reason="invalid_json"} 1.0' in metrics
    assert [entry for entry in logs if entry["event"] == "messages_refused"] == [
        {
            "event": "messages_refused",
            "log_level": "warning",
            "messages": 1,
            "path": TAG,
            "reason": "not JSON: expecting value at character 0",
            "held_back": 0,
        }
    ]
