"""What a body may hold, and how long a hostile one keeps the interpreter: never more than its length is worth."""

import gc
import gzip
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.body import gunzip
from ingest.decode import Decoded, Decoder
from ingest.decode.json_events import JsonDecoder, NdjsonDecoder
from ingest.decode.limits import ItemLimits, is_dense
from ingest.decode.line_events import LineBody, LineDecoder
from ingest.errors import BrokenEncoding, LineTooLong, TooManyEvents
from tests.ingest.test_decode import RULES

LIMITS = ItemLimits(max_events=3, max_line_bytes=200)
EVENT = b'{"timestamp": 1539112021301, "tag": "a.b.c", "valor": "1"}'
LINE = b"events,country=a,region=b,sensor=c value=1 1539112021301000000"
JSON, NDJSON = JsonDecoder(RULES, LIMITS), NdjsonDecoder(RULES, LIMITS)
LINES = LineBody(LineDecoder(RULES, time.time_ns, True, LIMITS), "ns")
LONG_EVENT = EVENT.replace(b"}", b', "x": "' + b"x" * 200 + b'"}')


def array(*texts: bytes) -> bytes:
    return b"[" + b",".join(texts) + b"]"


def lines(*texts: bytes) -> bytes:
    return b"\n".join(texts)


def both(decoder: Decoder, body: bytes) -> Decoded:
    """What the two ways agree on."""
    thorough = decoder.thorough(body)
    quick = decoder.quick(body)
    assert quick is None or quick.events == thorough.events
    return thorough


FORMATS = [(JSON, array, EVENT), (NDJSON, lines, EVENT), (LINES, lines, LINE)]


@pytest.mark.parametrize(("decoder", "joined", "item"), FORMATS, ids=["array", "ndjson", "line protocol"])
def test_one_event_more_than_the_limit_refuses_all(decoder: Decoder, joined: Callable[..., bytes], item: bytes) -> None:
    assert len(both(decoder, joined(*[item] * 3)).events) == 3
    body = joined(*[item] * 4)
    assert decoder.quick(body) is None
    with pytest.raises(TooManyEvents):
        decoder.thorough(body)


def test_blank_lines_count_a_tenth() -> None:
    assert len(both(NDJSON, b"\n" * 29 + lines(EVENT, EVENT)).events) == 2
    with pytest.raises(TooManyEvents):
        NDJSON.thorough(b"\n" * 50 + EVENT)


def test_an_event_that_is_too_long_costs_no_neighbour() -> None:
    for decoder, joined in ((JSON, array), (NDJSON, lines)):
        decoded = both(decoder, joined(EVENT, LONG_EVENT, EVENT))
        assert (len(decoded.events), decoded.rejects.by_code) == (2, {"line_too_long": 1}), decoded
        assert decoded.rejects.listed[0].index == 1
    assert both(JSON, LONG_EVENT).rejects.by_code == {"line_too_long": 1}


def test_a_line_of_line_protocol_that_is_too_long_refuses_all_for_no_one_can_say_where_it_ends() -> None:
    inside = b'events,country=a,region=b,sensor=c text="' + b"x" * 190 + b"\n" + LINE + b'\n"'
    for body in (lines(LINE, inside, LINE), lines(LINE, b"x" * 201), lines(b"x" * 201 + b" v=1")):
        with pytest.raises(LineTooLong):
            LINES.thorough(body)
    assert len(LINES.thorough(LINE + b" " * (199 - len(LINE)) + b"\n" + LINE).events) == 2


@given(
    st.lists(st.sampled_from([EVENT, LONG_EVENT, b"1", b'"x"', b"[" * 300 + b"]" * 300, b"{}"]), max_size=3), st.data()
)
def test_an_array_is_read_as_json_reads_it_wherever_a_window_ends(items: list[bytes], data: st.DataObject) -> None:
    wide = JsonDecoder(RULES)
    blanks = data.draw(st.lists(st.sampled_from([b"", b" ", b"\n" * 150]), min_size=len(items), max_size=len(items)))
    body = array(*(blank + item for blank, item in zip(blanks, items, strict=True)))
    narrow, whole = JSON.thorough(body), wide.thorough(body)
    long = [index for index, item in enumerate(items) if len(item) > 200]
    assert [r.index for r in narrow.rejects.listed if r.code == "line_too_long"] == long
    assert len(narrow.events) == len(whole.events) - items.count(LONG_EVENT)


@pytest.mark.parametrize(
    "broken", [b"[", b"[1", b"[1,", b"[1,]", b"[1 2]", b"[1]]", b"[1] x", b'["a', b"[{]", b"[NaN]"]
)
def test_a_broken_array_is_refused_whole_with_the_reason_that_json_has(broken: bytes) -> None:
    body = broken.replace(b"[", b"[" + EVENT + b",", 1)
    decoded = JSON.thorough(body)
    assert (len(decoded.events), decoded.rejects.by_code) == (0, {"invalid_json": 1})
    assert decoded.rejects.listed[0].index is None


@given(st.binary(max_size=60), st.integers(1, 20))
def test_a_body_is_dense_where_each_stretch_has_the_mark(body: bytes, most: int) -> None:
    longest = max(map(len, body.split(b"\n")))
    dense = is_dense(body, b"\n", most)
    assert dense or longest >= most
    assert not dense or longest <= most


MB = 2**18
HOSTILE = {
    "[": b"[" * 4 * MB,
    "objects": b"[" + b"{}," * MB + b"{}]",
    "arrays": b"[" + b"[]," * MB + b"[]]",
    "numbers": b"[" + b"1," * MB + b"1]",
    "strings": b"[" + b'"ab",' * MB + b'""]',
    "deep objects": b'{"a":' * MB,
    "blanks": b" " * 4 * MB,
    "newlines": b"\n" * 4 * MB,
    "one number": b"1" * 4 * MB,
    "one string": b'"' + b"a" * 4 * MB,
    "arrays in one event": b'[{"a":[' + b"[]," * MB + b"[]]}]",
    "keys": b"[{" + b'"a":1,' * MB + b'"a":1}]',
    "dots": b'[{"timestamp":1,"valor":1,"tag":"' + b"." * MB + b'"}]',
    "surrogates": b'[{"timestamp":1,"tag":"a.b.c","valor":"' + b"\\ud83d\\ude00" * 80_000 + b'"}]',
    "escapes": b'["' + b"\\u0061" * MB + b'"]',
    "open quotes": b'a b="\n' * MB,
    "commas": b"m" + b",a=b" * MB,
    "fields": b"m " + b"a=1," * MB,
    "backslashes": b"m " + b"\\" * 4 * MB,
    "equals": b"=" * 4 * MB,
    "comments": b"#\n" * 2 * MB,
    "a comment": b"#" * 4 * MB,
    "one line": b'm v="' + b"a" * 4 * MB,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_body_costs_more_than_its_length_is_worth(name: str) -> None:
    """Measured are 0.2 µs a byte at most; quadratic would be thousands."""
    body = HOSTILE[name]
    for decoder in (JsonDecoder(RULES), NdjsonDecoder(RULES), LineBody(LineDecoder(RULES, time.time_ns, True), "ns")):
        # What thousands of tests have left behind is looked through by no collection while this one runs.
        gc.collect()
        gc.freeze()
        started = time.thread_time()
        try:
            decoded = decoder.quick(body) or decoder.thorough(body)
            assert not decoded.events
        except (TooManyEvents, LineTooLong):
            pass
        spent_seconds = time.thread_time() - started
        gc.unfreeze()
        assert spent_seconds / len(body) * 10**6 < 1.0, type(decoder).__name__


@given(st.lists(st.integers(0, 600_000), min_size=1, max_size=4))
def test_a_member_ends_wherever_a_piece_does(sizes: list[int]) -> None:
    contents = [bytes([65 + number]) * size for number, size in enumerate(sizes)]
    assert gunzip(b"".join(map(gzip.compress, contents)), 10**7) == b"".join(contents)


def test_a_bomb_is_refused_at_once_and_takes_no_memory() -> None:
    """10 MB that would be 10 GB, in a process of its own, whose peak of memory is its own too."""
    code = """
import resource, sys, time, zlib
from ingest.body import gunzip
from ingest.errors import BodyTooLarge
compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
first, megabyte = (compressor.compress(b"0" * 2**20) + compressor.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
bomb = first + megabyte * 10_000
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
started = time.thread_time()
try:
    gunzip(bomb, 16 * 2**20)
except BodyTooLarge:
    print(len(bomb), time.thread_time() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=110).stdout
    size, seconds, kilobytes = map(float, said.split())
    assert size > 9 * 10**6, "that is no bomb"
    assert seconds < 0.1
    assert kilobytes < 50_000


def test_what_is_no_end_of_a_member_is_cut_short() -> None:
    whole = gzip.compress(b"x" * 300_000)
    for cut in (1, 5, 8, len(whole) // 2):
        with pytest.raises(BrokenEncoding):
            gunzip(whole[:-cut], 10**6)
