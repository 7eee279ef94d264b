"""Plain lines of events decoded at once are what each of them is by itself; any other body is left alone."""

from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.decode import Decoded
from ingest.decode.limits import ItemLimits
from ingest.decode.line_events import NS_PER_PRECISION, LineBody, LineDecoder
from ingest.event import Event
from ingest.events import Events
from ingest.line_protocol import LineEncoder
from ingest.rules import Limits, Rules
from ingest.series.registry import Registry, SeriesLimits, id_of
from tests.ingest.strategies import TAGS, VALORES

NOW_NS = 1_760_000_000_000_000_000


def decoder(
    precision: str = "ns", limits: ItemLimits | None = None, keeps_texts: bool = False, known: Sequence[int] = ()
) -> LineBody:
    rules = Rules(Limits(0, 86_400_000, 0, 1_000), lambda: NOW_NS // 10**6, Registry(SeriesLimits(), known))
    return LineBody(LineDecoder(rules, lambda: NOW_NS, True, limits, keeps_texts), precision)


# One remembers what it has seen, of good lines and bad ones.
LASTING = {precision: decoder(precision, keeps_texts=True) for precision in NS_PER_PRECISION}

KEYS = st.one_of(
    st.sampled_from(
        ["country=a,region=b,sensor=c", "country=a,region=b,sensor=c,status=erro", "sensor=d,region=b,country=a"]
    ),
    st.sampled_from(
        ["country=a,region=b", "value=1", "country=a,country=b", "sensor=c", "", "a", "time=1", 'country="', "a=b\t"]
    ),
    TAGS.map(lambda tag: "country={},region={},sensor={}".format(*tag.split("."))),
).map(lambda tags: f"events,{tags}")
OTHER_KEYS = st.sampled_from(
    ["events", "cpu,host=a", "mqtt_message", "eventsx,a=b", "#events,country=a,region=b,sensor=c", "\tevents,a=b"]
)
FIELDS = st.one_of(
    st.sampled_from(
        ["value=1", "value=23.5", 'text="on"', "valor=5", "value=5i", "value=-0", "value=1e999", 'text=""', 'text="é"']
    ),
    st.sampled_from(
        [
            "value=1,value=2",
            "value=1,text=2",
            "x=1",
            "value=",
            "value",
            'text="a b"',
            'text="a',
            "value=1,5",
            "value=nan",
        ]
    ),
    st.sampled_from(
        [
            "value=1\r",
            "value=1\t",
            "\tvalue=1",
            "value=٣",
            "value=.5",
            "value=5.",
            "value=007",
            "value=t",
            "va\\=1",
            "value=1_0",
        ]
    ),
    st.decimals(-100, 100, places=2).map(lambda value: f"value={value}"),
    VALORES.map(lambda valor: 'text="{}"'.format(valor.replace("\\", "\\\\").replace('"', '\\"'))),
)
TIMES = st.one_of(
    st.integers(0, NOW_NS).map(str),
    st.sampled_from(
        ["", "1", "0", "007", "-1", "1\r", "\t1", "1.0", "1e5", "1,2", "9" * 18, "9" * 19, "9" * 30, "x", "9" * 5_000]
    ),
)
BLANKS = st.sampled_from([" "] * 20 + ["", "  ", "\t", "\n", " \n", "\r", "\0"])
ENDS = st.sampled_from(["\n"] * 20 + ["", "\r\n", "\n\n", " \n", " ", "\n\t", "\n#x\n"])
LINES = st.tuples(KEYS | OTHER_KEYS, BLANKS, FIELDS, BLANKS, TIMES, ENDS).map("".join)
PLAIN_LINES = st.tuples(KEYS, st.just(" "), FIELDS, st.just(" "), TIMES, st.just("\n")).map("".join)


def told(decoded: Decoded) -> tuple[object, ...]:
    return decoded.events, decoded.texts, decoded.lines, decoded.rejects


@given(
    st.lists(st.one_of(LINES, PLAIN_LINES, PLAIN_LINES, PLAIN_LINES), min_size=1, max_size=5),
    st.sampled_from(list(NS_PER_PRECISION)),
)
@example(["events,country=a,region=b,sensor=c\nevents,value=1 123 country=a,region=b,sensor=c value=1 123\n"], "ns")
@example(["events,country=a,region=b,sensor=c value=1\n1 events,country=a,region=b,sensor=c value=1 1\n"], "ns")
@example(["events,country=a,region=b,sensor=c value=1\n"] * 3, "ns")
@example(['events,country=a,region=b,sensor=c text="a\1b\2" 1\n'], "ns")
@example(
    ['events,country=a,region=b,sensor=c text="a b" 1\n', 'events,country=a,region=b,sensor=c text="\1" 1\n'], "ns"
)
@example(['events,country=a,region=b,sensor=c,x="y z" value=1 1\n'], "ns")
@example(['events,country=a,region=b,sensor=c text="1\nevents,country=a,region=b,sensor=c text=" 1\n'], "ns")
@example(["events,country=a,region=b,sensor=c value=1 1 x events,country=a,region=b,sensor=c value=1 1"], "ns")
def test_law_quick_and_thorough_agree(lines: list[str], precision: str) -> None:
    body = "".join(lines).encode()
    for line_body in (LASTING[precision], decoder(precision, keeps_texts=True)):
        quick = line_body.quick(body)
        assert quick is None or told(quick) == told(line_body.thorough(body)), body


@given(st.lists(st.builds(Event, st.integers(1, NOW_NS // 10**6), TAGS, VALORES), min_size=1))
def test_law_what_is_written_by_columns_is_read_by_columns(events: list[Event]) -> None:
    body = LineEncoder().encode(Events.of(events))
    quick, thorough = decoder().quick(body), decoder().thorough(body)
    is_plain = not any(odd in event.valor for event in events for odd in '\\"\1\2')
    assert quick is not None or not is_plain, body
    assert quick is None or (quick == thorough and len(quick.events) == len(events))


@pytest.mark.parametrize("precision", NS_PER_PRECISION)
def test_what_is_plainly_right_is_decoded_at_once(precision: str) -> None:
    fields = ["value=23.5", "value=-5i", 'text="em operação\n"', 'text=""', "valor=5"]
    lines = [f"events,country=a,region=b,sensor=s{i % 3},x=y {field} {i}" for i, field in enumerate(fields)]
    quick = decoder(precision).quick("\n".join(lines).encode())
    assert quick is not None
    assert quick.events.valores == ["23.5", "-5", "em operação\n", "", "5"]
    assert quick.events.tags == ["a.b.s0", "a.b.s1", "a.b.s2", "a.b.s0", "a.b.s1"]
    assert quick.events.timestamps_ms == [i * NS_PER_PRECISION[precision] // 10**6 for i in range(5)]


LINE = b"events,country=a,region=b,sensor=c value=1 1\n"


@pytest.mark.parametrize(
    ("body", "limits"),
    [
        (LINE * 11, ItemLimits(max_events=10)),
        (LINE * 10 + LINE.rstrip(), ItemLimits(max_events=10)),
        (LINE * 10, ItemLimits(max_line_bytes=len(LINE) - 1)),
    ],
    ids=["lines", "without a last newline", "bytes"],
)
def test_what_is_beyond_the_limits_is_not(body: bytes, limits: ItemLimits) -> None:
    assert decoder(limits=limits).quick(body) is None


def test_what_is_within_the_limits_is() -> None:
    quick = decoder(limits=ItemLimits(max_events=10, max_line_bytes=len(LINE))).quick(LINE * 10)
    assert quick is not None
    assert len(quick.events) == 10


def test_what_is_remembered_of_keys_and_fields_is_bounded() -> None:
    lines = decoder(known=[id_of("a.b.c")])
    plain = lines._decoder._plain
    body = "".join(f"events,country=a,region=b,sensor=c value={i} {i}\n" for i in range(30_000)).encode()
    for _ in range(2):
        assert lines.quick(body) is not None
    assert len(plain._valores) <= 20_000
    assert lines.quick(f'events,country=a,region=b,sensor=c,x={"y" * 600} text="{"x" * 40}" 1\n'.encode()) is not None
    assert len(plain._tags) == 1


def test_keys_of_sensors_that_are_not_known_are_not_remembered() -> None:
    lines = decoder(known=[id_of("a.b.c")])
    body = b"events,country=a,region=b,sensor=c value=1 1\nevents,country=a,region=b,sensor=new value=1 1\n"
    for _ in range(2):
        assert lines.quick(body) is not None
    assert list(lines._decoder._plain._tags._known.values()) == ["a.b.c"]
