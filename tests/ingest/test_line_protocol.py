import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.event import Event, number, time_ns
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


def test_what_is_remembered_stays_bounded_and_changes_no_line() -> None:
    encoder = LineEncoder()
    events = [Event(i, f"a.b.{i % 3}", str(i % 25_000)) for i in range(60_000)]
    assert encoder.encode(Events.of(events)) == b"".join(LineEncoder().encode(Events.of([event])) for event in events)
    assert len(encoder._fields) <= 20_000


@given(st.lists(st.builds(Event, st.integers(0, 2**42), TAGS, VALORES)))
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
