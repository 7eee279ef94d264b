import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.event import Event, number, offset_ns, status_of, time_ns
from ingest.events import Events
from ingest.line_parser import Line, parse_fields, parse_lines, parse_tags, unescape_string
from ingest.line_protocol import LineEncoder
from tests.ingest.strategies import TAGS, VALORES


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            Event(1_539_112_021_301, "brasil.sudeste.sensor01", "23.5"),
            "events,country=brasil,region=sudeste,sensor=sensor01,status=processado value=23.5 1539112021301742896\n",
        ),
        (
            Event(1, "a.b.c", "1e6"),
            f"events,country=a,region=b,sensor=c,status=processado value=1000000.0 {time_ns(1, '1e6')}\n",
        ),
        (Event(1, "a.b.c", ""), 'events,country=a,region=b,sensor=c,status=erro text="" 1000000\n'),
        (
            Event(1, "a.b.c", 'a "b"\\ c=d,\n'),
            'events,country=a,region=b,sensor=c,status=processado text="a \\"b\\"\\\\ c=d,\n" 1194339\n',
        ),
    ],
)
def test_the_line_of_an_event(event: Event, line: str) -> None:
    assert LineEncoder().encode(Events.of([event])) == line.encode()


def plain_line(event: Event) -> str:
    """The line of an event, as it is defined: one by one, and nothing remembered."""
    country, region, sensor = event.tag.split(".")
    value, time = number(event.valor), f"{event.timestamp_ms}{offset_ns(event.valor):06}"
    text = event.valor.replace("\\", "\\\\").replace('"', '\\"')
    field = f'text="{text}"' if value is None else f"value={value!r}"
    return f"events,country={country},region={region},sensor={sensor},status={status_of(event.valor)} {field} {time}\n"


def plainly(events: list[Event]) -> bytes:
    return "".join(map(plain_line, events)).encode()


DIGITS = st.text(st.sampled_from("0123456789.-+eE"), min_size=1, max_size=9)
OF_ODD_FORM = ["-0", "-0.0", "0", "-0e9", "1e16", "1e-5", "0.00012", "0.00001", "10.00001", "007", ".5", "5."]
OF_ODD_SIZE = ["1e999", "1.7976931348623159e308", "9007199254740993", "18446744073709551616"]
NO_NUMBERS = ["1,2", "[1", "1]", " 1", "1 ", "1\n", "٣", "1_0", "null", "nan", "-inf"]
NEARLY_NUMBERS = st.sampled_from([*OF_ODD_FORM, *OF_ODD_SIZE, *NO_NUMBERS])
READINGS = st.one_of(VALORES, DIGITS, NEARLY_NUMBERS, st.decimals(-1000, 1000, places=3).map(str))
EVENTS = st.builds(Event, st.integers(0, 2**42), TAGS, READINGS.map(lambda valor: "" if valor.isspace() else valor))


@given(st.lists(st.lists(EVENTS, max_size=8), max_size=4), st.integers(1, 12))
def test_law_columns_are_encoded_as_events_one_by_one(bodies: list[list[Event]], most: int) -> None:
    encoder = LineEncoder(most)
    for events in (*bodies, *bodies):
        assert encoder.encode(Events.of(events)) == plainly(events)
        assert len(encoder._heads) <= most
        assert len(encoder._tails) <= most


@given(st.lists(NEARLY_NUMBERS | DIGITS | st.floats(allow_nan=False, allow_infinity=False).map(repr), min_size=2))
def test_law_numbers_at_once_are_numbers_one_by_one(valores: list[str]) -> None:
    events = [Event(1, "a.b.c", valor) for valor in valores]
    assert LineEncoder().encode(Events.of(events)) == plainly(events)


def test_what_is_remembered_stays_bounded_and_changes_no_line() -> None:
    encoder = LineEncoder()
    events = [Event(i, f"a.b.{i % 3}", str(i % 25_000)) for i in range(60_000)]
    for first in range(0, len(events), 7_000):
        part = events[first : first + 7_000]
        assert encoder.encode(Events.of(part)) == plainly(part)
        assert 0 < len(encoder._heads) <= 20_000
    assert encoder.encode(Events.of(events)) == plainly(events)
    assert len(encoder._heads) == len(encoder._tails) <= 20_000


def test_long_texts_and_tags_are_not_remembered() -> None:
    events = [Event(1, f"{'a' * 64}.{'b' * 64}.c", valor) for valor in ("x" * 25, "y" * 24)]
    encoder = LineEncoder()
    assert encoder.encode(Events.of(events)) == plainly(events)
    assert (len(encoder._heads), len(encoder._tails), len(encoder._keys)) == (1, 1, 0)


@given(st.lists(EVENTS))
def test_lines_read_back_as_the_events_they_were(events: list[Event]) -> None:
    lines = list(parse_lines(LineEncoder().encode(Events.of(events))))
    assert [_read(line) for line in lines] == [
        (e.tag, number(e.valor), e.valor, time_ns(e.timestamp_ms, e.valor)) for e in events
    ]


def _read(line: object) -> tuple[str, float | None, str, int | None]:
    assert isinstance(line, Line), line
    tags = parse_tags(line.key)
    assert isinstance(tags, dict), tags
    ((name, value),) = parse_fields(line.fields)
    tag = b".".join(tags[part] for part in (b"country", b"region", b"sensor")).decode()
    if name == b"value":
        return tag, float(value), _Anything(), line.time
    return tag, None, unescape_string(value).decode(), line.time


class _Anything(str):
    """A number's text is not kept: any is right."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return True
