"""Laws of decoding JSON: nothing is changed, nobody's neighbour matters, quick and thorough agree."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.decode import MAX_LISTED_REJECTS, Decoded, Decoder
from ingest.decode.json_events import JsonDecoder, NdjsonDecoder
from ingest.event import Event
from ingest.rules import Limits, Rules
from ingest.series.registry import Registry, SeriesLimits
from tests.ingest.strategies import TAGS, TEXTS, VALORES

NOW_MS = 1_539_112_021_301
RULES = Rules(
    Limits(min_timestamp_ms=0, max_future_ms=10**6, retention_ms=0, max_valor_bytes=1000),
    clock_ms=lambda: NOW_MS,
    series=Registry(SeriesLimits()),
)
DECODERS: list[Decoder] = [JsonDecoder(RULES, keeps_texts=True), NdjsonDecoder(RULES, keeps_texts=True)]


def decode(decoder: Decoder, body: bytes) -> Decoded:
    return decoder.quick(body) or decoder.thorough(body)


def joined(decoder: Decoder, items: list[bytes]) -> bytes:
    return b"[" + b",".join(items) + b"]" if isinstance(decoder, JsonDecoder) else b"\n".join(items)


@pytest.mark.parametrize("decoder", DECODERS, ids=["array", "ndjson"])
@given(events=st.lists(st.builds(Event, st.integers(0, NOW_MS), TAGS, VALORES), min_size=1), ascii_only=st.booleans())
def test_good_events_come_through_unchanged(decoder: Decoder, events: list[Event], ascii_only: bool) -> None:
    texts = [
        json.dumps({"timestamp": e.timestamp_ms, "tag": e.tag, "valor": e.valor}, ensure_ascii=ascii_only)
        for e in events
    ]
    decoded = decode(decoder, joined(decoder, [text.encode() for text in texts]))
    assert (list(decoded.events), decoded.rejects.listed) == (events, [])


GOOD = st.builds(
    lambda t, tag, v: json.dumps({"timestamp": t, "tag": tag, "valor": v}).encode(), st.integers(0, NOW_MS), TAGS, TEXTS
)
ODD = st.sampled_from(
    [
        b'{"timestamp":1,"tag":"a.b.c"}',
        b'{"timestamp":1,"tag":"a.b.c","valor":null}',
        b'{"timestamp":1,"tag":"a.b.c","valor":1.50}',
        b'{"timestamp":1,"tag":"a.b.c","valor":"1","valor":"2"}',
        b'{"timestamp":1,"tag":"a.b.c","tag":"d.e.f","valor":"1"}',
        b'{"timestamp":1,"tag":"a.b.c","valor":"1","x":1,"x":2}',
        b'{"timestamp":1,"tag":"a.b.c","valor":"tag"}',
        b'{"timestamp":1,"t\\u0061g":"a.b.c","valor":"1"}',
        b'{"timestamp":true,"tag":"a.b.c","valor":"1"}',
        b'{"timestamp":1.0,"tag":"a.b.c","valor":"1"}',
        b'{"timestamp":1,"tag":"a.b.c","valor":"\\ud800"}',
        b'{"timestamp":1,"tag":"a.b.c","valor":"1","x":{"tag":[{}]}}',
        b"[]",
        b"5",
        b"null",
    ]
)
BROKEN = st.one_of(
    st.sampled_from([b"{", b'\xff{"timestamp":1}', b'{"x":"\xff","timestamp":1,"tag":"a.b.c","valor":"1"}', b"}{"]),
    st.binary(max_size=30),
)
ONE_LINE = st.one_of(GOOD, ODD, BROKEN).map(lambda item: item.replace(b"\n", b" "))


@given(st.lists(ONE_LINE, max_size=6))
def test_a_line_means_the_same_alone_and_among_others(lines: list[bytes]) -> None:
    decoder = NdjsonDecoder(RULES)
    alone = [decode(decoder, line) for line in lines if line.strip() and not line.startswith(b"\xef\xbb\xbf")]
    together = decode(decoder, b"\n".join([b"{}", *(line for line in lines if not line.startswith(b"\xef\xbb\xbf"))]))
    assert together.events == [event for decoded in alone for event in decoded.events]
    reasons = [(item.code, item.reason) for decoded in alone for item in decoded.rejects.listed]
    assert [(item.code, item.reason) for item in together.rejects.listed[1:]] == reasons


@given(st.lists(st.one_of(GOOD, ODD), min_size=1, max_size=5))
def test_an_item_of_an_array_means_what_its_line_means(items: list[bytes]) -> None:
    array, lines = decode(DECODERS[0], b"[" + b" , ".join(items) + b"]"), decode(DECODERS[1], b"\n".join(items))
    assert array.events == lines.events
    assert array.rejects == lines.rejects


@pytest.mark.parametrize("decoder", DECODERS, ids=["array", "ndjson"])
@given(
    items=st.lists(st.one_of(GOOD, ODD, BROKEN), min_size=1, max_size=4),
    glue=st.sampled_from([b"\n", b"\r\n", b" \n", b"\n\n", b"", b" "]),
)
@example(items=[b'{"timestamp":1,"tag":"a.b.c","valor":"1","valor":"2"}', b'{"timestamp":1,"tag":"a.b.c"}'], glue=b"\n")
@example(
    items=[
        b'{"timestamp":1,"tag":"a.b.c","valor":"1"}{"timestamp":1,"tag":"a.b.c","valor":"2"}',
        b"",
        b'{"timestamp":1,"tag":"a.b.c","valor":"3"}',
    ],
    glue=b"\n",
)
@example(items=[b'{"timestamp":1,', b'"tag":"a.b.c","valor":"1"}'], glue=b"\n")
def test_quick_and_thorough_agree(decoder: Decoder, items: list[bytes], glue: bytes) -> None:
    for body in (glue.join(items), joined(decoder, items)):
        quick = decoder.quick(body)
        assert quick is None or quick == decoder.thorough(body), body


PLAIN = '{"timestamp":1,"tag":"a.b.c","valor":"1"}'
# Pieces that, put together in another way than they were sent in, would be events.
PIECES = st.lists(
    st.sampled_from([PLAIN, "{", "}", '"', ",", "\n", "\r", " ", PLAIN[:13], PLAIN[13:], '{"x":"', '":1,', "[", "]"]),
    max_size=4,
).map(lambda pieces: "".join(pieces).encode())


@given(st.lists(st.one_of(GOOD, ODD, BROKEN, PIECES), max_size=6))
@example([b'{"x":"}', b'{","timestamp":1,"tag":"a.b.c","valor":"1"}', PLAIN.encode() * 2])
@example([f"{PLAIN}\n{PLAIN}".encode(), b""])
@example([f"{PLAIN}\n{PLAIN}".encode()])
@example([PLAIN.encode() + b"\r\n", PLAIN.encode() + b"\x0b"])
def test_bodies_mean_the_same_alone_and_together(bodies: list[bytes]) -> None:
    decoder = JsonDecoder(RULES, keeps_texts=True)
    together = decoder.together(bodies)
    if together is not None:
        alone = [decode(decoder, body) for body in bodies]
        assert [list(decoded.events) for decoded in alone] == [[event] for event in together.events]
        assert [decoded.texts for decoded in alone] == [[text] for text in together.texts]
        assert not any(decoded.rejects.listed for decoded in alone)


@given(st.lists(st.tuples(TAGS, VALORES, st.sampled_from(["", "\n", " \r\n"])), min_size=1, max_size=6))
def test_bodies_that_are_plainly_right_are_taken_together(sent: list[tuple[str, str, str]]) -> None:
    bodies = [json.dumps({"timestamp": 1, "tag": tag, "valor": valor}) + end for tag, valor, end in sent]
    assert JsonDecoder(RULES).together([body.encode() for body in bodies]) is not None, bodies


def test_what_is_plainly_right_is_decoded_quickly() -> None:
    event = b'{"timestamp": 1, "tag": "a.b.c", "valor": "1"}'
    bodies = [event, b"[" + event + b"," + event + b"]", b" [" + event + b"]"]
    assert all(JsonDecoder(RULES).quick(body) for body in bodies)
    assert all(NdjsonDecoder(RULES).quick(glue.join([event] * 3) + glue) for glue in (b"\n", b"\r\n"))


def test_of_very_many_rejects_only_the_first_are_listed_but_all_are_counted() -> None:
    decoded = NdjsonDecoder(RULES).thorough(b"1\n" * 100_000)
    assert len(decoded.rejects.listed) == MAX_LISTED_REJECTS
    assert decoded.rejects.by_code == {"not_an_object": 100_000}
