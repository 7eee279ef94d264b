from hypothesis import given
from hypothesis import strategies as st

from ingest.event import Event
from ingest.events import Events
from ingest.fields import escape_string
from ingest.line_protocol import LineEncoder
from ingest.minutes import MINUTE_MS, Mark, few, touched
from tests.ingest.strategies import TAGS, VALORES

MINUTE = 1_539_112_020_000


def lines(*events: Event) -> bytes:
    return LineEncoder().encode(Events.of(events))


@given(st.lists(st.builds(Event, st.integers(0, 3 * 10**12), TAGS, VALORES), max_size=40))
def test_law_every_event_leaves_its_mark(events: list[Event]) -> None:
    marks = touched(lines(*events))
    for event in events:
        minute_ms = event.timestamp_ms - event.timestamp_ms % MINUTE_MS
        assert {Mark(minute_ms, event.tag), Mark(minute_ms, "")} & marks, f"{event} left no mark among {marks}"


def test_a_minute_of_few_sensors_is_marked_by_sensor() -> None:
    events = [Event(MINUTE + i, f"brasil.sul.s{i % 16}", "1") for i in range(64)]
    assert touched(lines(*events)) == {Mark(MINUTE, f"brasil.sul.s{i}") for i in range(16)}


def test_a_minute_of_many_sensors_is_marked_once() -> None:
    events = [Event(MINUTE + i, f"brasil.sul.s{i}", "1") for i in range(17)]
    assert touched(lines(*events)) == {Mark(MINUTE, "")}


def test_the_last_millisecond_of_a_minute_is_of_that_minute() -> None:
    events = [Event(MINUTE + MINUTE_MS - 1, "a.b.c", "23.5"), Event(MINUTE + MINUTE_MS, "a.b.c", "")]
    assert touched(lines(*events)) == {Mark(MINUTE, "a.b.c"), Mark(MINUTE + MINUTE_MS, "a.b.c")}


def test_other_measurements_leave_no_mark_and_hide_none() -> None:
    between = b'cpu,host=a s="\nevents,country=a" 5\neventsx,country=a,region=b,sensor=c,status=erro text="" 5\n'
    assert touched(between + lines(Event(MINUTE, "a.b.c", "1")) + between) == {Mark(MINUTE, "a.b.c")}


FAKE = "events,country=z,region=z,sensor=z,status=erro"
TRAPS = st.text(st.sampled_from('a" \\\n=,'), max_size=8) | st.sampled_from(
    [
        f"\n{FAKE} text=",
        f'\n{FAKE} text="" 5',
        f"x\n{FAKE} value=1 4102444800000000000\n",
        f"\n{FAKE} value=1 9999999999999999999\n",
        "\nevents,country=a',region=b,sensor=c,status=x value=1 5\n",
        '" 5\nabc',
        'x" 5\n',
        "\\",
    ]
)
STRINGS = st.lists(TRAPS, max_size=4).map("".join)
OTHERS = STRINGS.map(lambda text: f'other,host=a text="{escape_string(text)}",v=1 5\n'.encode())
TEXTS = STRINGS.filter(lambda text: text.strip()).map(lambda text: Event(MINUTE, "a.b.text", text))
PLAIN = st.integers(0, 3).map(lambda minute: Event(MINUTE + minute * MINUTE_MS, "a.b.plain", "1"))


@given(st.lists(OTHERS | (TEXTS | PLAIN).map(lambda event: (event, lines(event))), max_size=12))
def test_law_whatever_texts_hold_exactly_the_events_leave_marks(parts: list[bytes | tuple[Event, bytes]]) -> None:
    body = b"".join(part if isinstance(part, bytes) else part[1] for part in parts)
    sent = [part[0] for part in parts if isinstance(part, tuple)]
    assert touched(body) == {Mark(event.timestamp_ms - event.timestamp_ms % MINUTE_MS, event.tag) for event in sent}, (
        body
    )


def test_bytes_that_are_no_text_leave_no_mark() -> None:
    body = b'other f="\nevents,country=\xff,region=b,sensor=c,status=x value=1 1700000000000000000\n" 5\n'
    assert touched(body + lines(Event(MINUTE, "a.b.c", "1"))) == {Mark(MINUTE, "a.b.c")}


def test_the_one_for_all_takes_in_the_others() -> None:
    assert few({"a.b.c", ""}) == {""}
    assert few({"a.b.c"}) == {"a.b.c"}
