"""The texts that decoders keep for the archive: one for each event, as it was sent, that decodes to the same event."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.decode import Decoded, Decoder
from ingest.decode.json_events import JsonDecoder, NdjsonDecoder
from ingest.decode.limits import ItemLimits
from ingest.decode.line_events import NS_PER_PRECISION, LineBody, LineDecoder
from ingest.event import Event
from ingest.rules import Limits, Rules
from ingest.series.registry import Registry, SeriesLimits
from tests.ingest.strategies import TAGS, VALORES
from tests.ingest.test_cases import CASES, REPEAT

NOW_MS = 1_760_000_000_000
RULES = Rules(Limits(0, 86_400_000, 0, 65_536), clock_ms=lambda: NOW_MS, series=Registry(SeriesLimits()))
# A case of JSON is one long line to it.
WIDE = ItemLimits(max_line_bytes=2**24)
LINES = LineDecoder(RULES, lambda: NOW_MS * 10**6, True, WIDE, keeps_texts=True)
JSON, NDJSON = JsonDecoder(RULES, keeps_texts=True), NdjsonDecoder(RULES, keeps_texts=True)
ALL: list[Decoder] = [JSON, NDJSON, *(LineBody(LINES, precision) for precision in NS_PER_PRECISION)]
# The others are refused for their size before any decoder sees them.
DECODED_CASES = [case for case in CASES if not case.name.endswith(("over-the-cap", "gzip-bomb"))]

BLANKS = st.text(st.sampled_from(" \t\r\n"), max_size=3)
OTHER_KEYS = st.dictionaries(st.text(st.sampled_from("abxyz"), min_size=4), st.integers() | VALORES, max_size=2)
EVENTS = st.builds(Event, st.integers(0, NOW_MS), TAGS, VALORES)


@st.composite
def written(draw: st.DrawFn) -> tuple[str, Event]:
    """An event as some client would write it: with other keys, in any order, with blanks between tokens."""
    event = draw(EVENTS)
    members = {"timestamp": event.timestamp_ms, "tag": event.tag, "valor": event.valor} | draw(OTHER_KEYS)
    ascii_only = draw(st.booleans())
    texts = [
        f"{draw(BLANKS)}{json.dumps(key)}{draw(BLANKS)}:{draw(BLANKS)}{json.dumps(value, ensure_ascii=ascii_only)}"
        for key, value in draw(st.permutations(list(members.items())))
    ]
    return "{" + ",".join(texts) + draw(BLANKS) + "}", event


def bodies(decoder: Decoder, texts: list[str], glue: str) -> bytes:
    if decoder is NDJSON:
        return "\n".join(one_line(text) for text in texts).encode()
    return f"[{glue}{f'{glue},{glue}'.join(texts)}{glue}]".encode()


def one_line(text: str) -> str:
    return text.replace("\r", " ").replace("\n", " ")


def hold_to_their_events(decoded: Decoded) -> None:
    """Each text is a line that by itself is its event, quickly and thoroughly."""
    assert len(decoded.texts) == len(decoded.events)
    for text, event in zip(decoded.texts, decoded.events, strict=True):
        assert b"\n" not in text, text
        assert b"\r" not in text, text
        assert NDJSON.thorough(text).events == [event], text
        quick = NDJSON.quick(text)
        assert quick is None or quick.events == [event], text
    assert NDJSON.thorough(b"".join(text + b"\n" for text in decoded.texts)).events == decoded.events


@pytest.mark.parametrize("decoder", [JSON, NDJSON], ids=["array", "ndjson"])
@given(st.lists(written(), min_size=1, max_size=4), BLANKS, st.booleans())
def test_a_text_is_what_was_sent_but_for_line_breaks(
    decoder: Decoder, items: list[tuple[str, Event]], glue: str, quickly: bool
) -> None:
    body = bodies(decoder, [text for text, _ in items], glue)
    decoded = (decoder.quick(body) if quickly else None) or decoder.thorough(body)
    assert decoded.texts == [one_line(text).encode() for text, _ in items], body
    assert decoded.events == [event for _, event in items]
    hold_to_their_events(decoded)


@given(written(), BLANKS, BLANKS)
def test_one_event_is_its_body(item: tuple[str, Event], before: str, after: str) -> None:
    body = f"{before}{item[0]}{after}".encode()
    for decoded in filter(None, (JSON.quick(body), JSON.thorough(body))):
        assert decoded.texts == [one_line(item[0]).encode()], body


def test_only_accepted_events_have_one() -> None:
    good, bad = '{"timestamp":1,"tag":"a.b.c","valor":1.50,"x":[1]}', '{"timestamp":1,"tag":"a.b","valor":"1"}'
    decoded = JSON.thorough(f"[{bad},{good},{bad}\n,5, {good}]".encode())
    assert decoded.texts == [good.encode()] * 2
    assert NDJSON.thorough(f"{bad}\n{good}\n5\n\n{good}".encode()).texts == [good.encode()] * 2


def test_without_the_archive_none_are_kept() -> None:
    body = b'{"timestamp":1,"tag":"a.b.c","valor":"1"}'
    for decoder in (JsonDecoder(RULES), NdjsonDecoder(RULES)):
        for decoded in filter(None, (decoder.quick(body), decoder.thorough(body))):
            assert (len(decoded.events), decoded.texts) == (1, [])


def test_a_message_keeps_what_else_it_says_and_gets_its_topic_as_tag() -> None:
    payload = '{ "timestamp": 1,\n "valor": 1.50, "unit": "°C" }'.replace('"', '\\"')
    topic = 'country="brasil",region="sul",sensor="s1"'
    decoded = LINES.decode(f'mqtt_message payload="{payload}",{topic} 5\n'.encode(), "ns")
    assert decoded.texts == ['{"tag":"brasil.sul.s1", "timestamp": 1,  "valor": 1.50, "unit": "°C" }'.encode()]
    hold_to_their_events(decoded)


@given(EVENTS)
def test_a_line_becomes_json_that_is_the_same_event(event: Event) -> None:
    country, region, sensor = event.tag.split(".")
    text = event.valor.replace("\\", "\\\\").replace('"', '\\"')
    line = f'events,country={country},region={region},sensor={sensor} text="{text}" {event.timestamp_ms}'
    decoded = LINES.decode(line.encode(), "ms")
    assert decoded.events == [event], line
    hold_to_their_events(decoded)


@pytest.mark.parametrize("case", DECODED_CASES, ids=lambda case: case.name)
def test_the_texts_of_every_case_are_its_events(case: Path) -> None:
    body = REPEAT.sub(lambda match: match[1] * int(match[2]), case.joinpath("request").read_bytes())
    for decoder in ALL:
        for decoded in filter(None, (decoder.quick(body), decoder.thorough(body))):
            hold_to_their_events(decoded)
