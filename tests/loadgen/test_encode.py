"""The encoders, read back by parsers that have nothing to do with them."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from loadgen.encode import FORMATS
from loadgen.sensors import Event
from tests.loadgen.service import parse_lines

valores = st.text(st.characters(exclude_categories=["Cs"]))
tags = st.from_regex(r"brasil\.(norte|sul)\.sensor[0-9]{2}", fullmatch=True)
many = st.lists(st.builds(Event, timestamp=st.integers(0, 2**53), tag=tags, valor=valores), min_size=1, max_size=8)


def plain(events: list[Event]) -> list[dict[str, Any]]:
    return [{"timestamp": event.timestamp, "tag": event.tag, "valor": event.valor} for event in events]


@given(events=many)
def test_json_is_an_object_for_one_event_and_an_array_for_more(events: list[Event]) -> None:
    decoded = json.loads(FORMATS["json"].encode(events))
    assert decoded == (plain(events) if len(events) > 1 else plain(events)[0])


@given(events=many)
def test_ndjson_is_a_line_an_event(events: list[Event]) -> None:
    lines = FORMATS["ndjson"].encode(events).decode().removesuffix("\n").split("\n")
    assert [json.loads(line) for line in lines] == plain(events)


@given(
    valor=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n")), timestamp=st.integers(0, 2**53)
)
def test_line_protocol_keeps_quotes_and_backslashes(valor: str, timestamp: int) -> None:
    event = Event(timestamp, "brasil.sul.sensor01", valor)
    assert parse_lines(FORMATS["lp"].encode([event, event]).decode()) == plain([event, event])


def test_a_line_reads_as_agreed() -> None:
    event = Event(1539112021301, "brasil.sudeste.sensor01", "23.5")
    expected = 'events,country=brasil,region=sudeste,sensor=sensor01 valor="23.5" 1539112021301\n'
    assert FORMATS["lp"].encode([event]).decode() == expected
