"""One suite for both stores: what was put in comes out, in order, counted exactly, page by page."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.errors import BadParameter, StoreUnavailable
from ingest.event import Event, number, time_ns
from ingest.events import Events
from ingest.influxql import InfluxQL
from ingest.metrics import Metrics
from ingest.minutes import HOUR_MS, MINUTE_MS
from ingest.point_writer import InfluxAddress
from ingest.routes.read import hierarchy
from ingest.store import MAX_BYTES, Numbers, Selection, Store, StoredEvent, shown_valor
from ingest.store.embedded import EmbeddedStore
from ingest.store.influx import InfluxStore
from ingest.store.paging import Cursor, parse_cursor, read_page, read_pages
from ingest.store.search import Search, search_page
from tests.ingest.rolled_up import rolled_up
from tests.ingest.strategies import TAGS, VALORES
from tools.influx_server import InfluxServer, free_port, make_bucket

START_MS = 1_539_112_021_301
YEAR_MS = 365 * 24 * 3_600_000


@dataclass(frozen=True)
class Shelf:
    """A store, and a way to put events on it."""

    store: Store
    put: Any


@asynccontextmanager
async def embedded(folder: Path) -> AsyncIterator[Shelf]:
    store = EmbeddedStore(folder, Metrics())

    async def put(events: Sequence[Event]) -> None:
        await store.append(Events.of(events), [])

    yield Shelf(store, put)
    await store.close()


@asynccontextmanager
async def influx(server: InfluxServer, bucket: str) -> AsyncIterator[Shelf]:
    async with rolled_up(server, bucket) as place:
        yield Shelf(InfluxStore(place.events, place.rollup), place.put)


@pytest.fixture(params=["embedded", "influx"])
async def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Shelf]:
    if request.param == "embedded":
        context = embedded(tmp_path)
    else:
        context = influx(request.getfixturevalue("influx_server"), request.getfixturevalue("influx_bucket"))
    async with context as shelf:
        yield shelf


def shown(events: Sequence[Event]) -> list[StoredEvent]:
    """What a store must show for ``events``, newest first."""
    unique = {StoredEvent(time_ns(e.timestamp_ms, e.valor), e.tag, shown_valor(e.valor)) for e in events}
    return sorted(unique, key=lambda e: (e.time_ns, e.tag, e.valor), reverse=True)


def many(number: int, per_ms: int = 1) -> list[Event]:
    return [
        Event(START_MS + i // per_ms, f"brasil.{('sul', 'norte')[i % 2]}.s{i % 7}", str(i) if i % 5 else "")
        for i in range(number)
    ]


async def test_an_empty_store(shelf: Shelf) -> None:
    assert (await shelf.store.events(Selection(), None, 10)).events == []
    assert await shelf.store.counts(Selection()) == []
    assert await shelf.store.trouble() is None


async def test_every_kind_of_valor_comes_back(shelf: Shelf) -> None:
    valores = [
        "23.5",
        "23.50",
        "1e6",
        "-0.0",
        "007",
        "",
        "abc",
        'a "b" \\ c\n\r\td',
        "açaí 🌎 \0",
        "nan",
        "\\",
        '\\"',
        "1" * 400,
        "x" * 60_000,
        "1e-320",
    ]
    events = [Event(START_MS + i, "brasil.são-paulo.câmara_1", valor) for i, valor in enumerate(valores)]
    await shelf.put(events)
    assert (await shelf.store.events(Selection(), None, 100)).events == shown(events)


async def test_the_same_event_twice_is_stored_once_and_different_ones_are_all_kept(shelf: Shelf) -> None:
    events = [Event(START_MS, "a.b.c", valor) for valor in ("1", "2", "abc", "")] + [Event(START_MS, "a.b.d", "1")]
    for _ in range(3):
        await shelf.put(events)
    assert (await shelf.store.events(Selection(), None, 100)).events == shown(events)
    assert hierarchy(await shelf.store.counts(Selection())).events == 5


async def test_counts_of_the_seed_example(shelf: Shelf) -> None:
    sizes = {
        "brasil.sudeste.sensor01": 700,
        "brasil.sudeste.sensor02": 300,
        "brasil.sul.sensor03": 1250,
        "brasil.sul.sensor04": 250,
    }
    for tag, size in sizes.items():
        await shelf.put([Event(START_MS + i, tag, ("23.5", "on", "")[i % 3]) for i in range(size)])
    assert hierarchy(await shelf.store.counts(Selection())).text().splitlines() == [
        "brasil.sudeste - 1000",
        "brasil.sudeste.sensor01 - 700",
        "brasil.sudeste.sensor02 - 300",
        "brasil.sul - 1500",
        "brasil.sul.sensor03 - 1250",
        "brasil.sul.sensor04 - 250",
    ]


@pytest.mark.parametrize(
    ("selection", "matches"),
    [
        (Selection(start_ms=START_MS + 10), lambda e: e.timestamp_ms >= START_MS + 10),
        (Selection(stop_ms=START_MS + 10), lambda e: e.timestamp_ms < START_MS + 10),
        (Selection(start_ms=START_MS + 5, stop_ms=START_MS + 6), lambda e: e.timestamp_ms == START_MS + 5),
        (Selection(country="brasil", region="sul"), lambda e: ".sul." in e.tag),
        (Selection(sensor="s3"), lambda e: e.tag.endswith(".s3")),
        (Selection(status="erro"), lambda e: e.valor == ""),
        (Selection(status="processado", sensor="s1"), lambda e: e.valor != "" and e.tag.endswith(".s1")),
        (Selection(country="chile"), lambda _: False),
    ],
)
async def test_selections(shelf: Shelf, selection: Selection, matches: Any) -> None:
    events = many(50, per_ms=2)
    await shelf.put(events)
    chosen = [event for event in events if matches(event)]
    assert (await shelf.store.events(selection, None, 100)).events == shown(chosen)
    assert sum(count.events for count in await shelf.store.counts(selection)) == len(chosen)


@pytest.mark.parametrize("status", [None, "processado", "erro"])
async def test_counts_kept_and_counts_of_a_range_agree(shelf: Shelf, status: str | None) -> None:
    for _ in range(2):
        await shelf.put(many(100))
    everything = Selection(start_ms=0, stop_ms=START_MS * 2, status=status)
    assert sorted(await shelf.store.counts(Selection(status=status))) == sorted(await shelf.store.counts(everything))


@pytest.mark.parametrize("step_ms", [1_000, 15_000, MINUTE_MS, 5 * MINUTE_MS, HOUR_MS, 3 * HOUR_MS])
@pytest.mark.parametrize(
    "selection",
    [
        Selection(),
        Selection(country="brasil", region="sul"),
        Selection(country="brasil", region="sul", sensor="s1"),
        Selection(sensor="s1", status="processado"),
        Selection(country="brasil", status="erro"),
        Selection(country="chile"),
    ],
)
async def test_numbers_are_those_of_a_full_scan(shelf: Shelf, selection: Selection, step_ms: int) -> None:
    spread = [Event(e.timestamp_ms + i * 1777, e.tag, e.valor if i % 9 else "on") for i, e in enumerate(many(400))]
    late = Event(START_MS - YEAR_MS, "brasil.sul.s1", "1e3")
    await shelf.put(spread[200:])
    await shelf.put([*spread[:230], late])
    assert await shelf.store.numbers(selection, step_ms) == numbers_of([*spread, late], selection, step_ms)
    start_ms = (START_MS // step_ms + 1) * step_ms
    ended = msgspec.structs.replace(selection, start_ms=start_ms, stop_ms=start_ms + 2 * step_ms)
    assert await shelf.store.numbers(ended, step_ms) == numbers_of(spread, ended, step_ms)


def numbers_of(events: Sequence[Event], selection: Selection, step_ms: int) -> list[Numbers]:
    """What a store must add up to, by a full scan."""
    steps: dict[int, list[float]] = {}
    for stored in sorted(shown(events), key=lambda event: event.time_ns):
        value = number(stored.valor)
        if value is not None and selection.holds(stored):
            steps.setdefault(stored.timestamp_ms // step_ms * step_ms, []).append(value)
    return [Numbers.of(start_ms, len(v), sum(v), min(v), max(v)) for start_ms, v in steps.items()]


@pytest.mark.parametrize("step_ms", [1_000, MINUTE_MS, HOUR_MS])
async def test_a_sum_too_large_has_no_mean(shelf: Shelf, step_ms: int) -> None:
    await shelf.put([Event(START_MS + i, "a.b.c", "1e308") for i in range(3)])
    await shelf.put([Event(START_MS + 2 * HOUR_MS, "a.b.c", "5")])
    large, small = await shelf.store.numbers(Selection(), step_ms)
    assert (large.mean, large.least, large.most) == (None, 1e308, 1e308)
    assert (small.numbers, small.mean) == (1, 5.0)


@pytest.mark.parametrize("status", [None, "processado", "erro"])
async def test_counts_of_a_range_are_exact_to_the_millisecond(shelf: Shelf, status: str | None) -> None:
    events = [Event(START_MS + i * 47_011, f"brasil.sul.s{i % 3}", "1" if i % 4 else "") for i in range(300)]
    await shelf.put(events)
    chosen = [event for event in events if status in (None, "processado" if event.valor else "erro")]
    for first, last in ((0, 299), (3, 4), (3, 40), (100, 250), (17, 17), (299, 0)):
        start_ms, stop_ms = events[first].timestamp_ms, events[last].timestamp_ms
        for at in (0, 1):
            selection = Selection(start_ms=start_ms + at, stop_ms=stop_ms + at, status=status)
            counted = sum(count.events for count in await shelf.store.counts(selection))
            assert counted == len([e for e in chosen if start_ms + at <= e.timestamp_ms < stop_ms + at]), selection


@pytest.mark.parametrize("page_size", [1, 3, 7, 100])
async def test_pages_have_no_gap_and_no_repeat(shelf: Shelf, page_size: int) -> None:
    events = [*many(30, per_ms=10), *(Event(START_MS + 1, f"brasil.sul.e{i}", "") for i in range(12))]
    await shelf.put(events)
    pages = [page async for page in read_pages(shelf.store, Selection(), None, 10**6, page_size)]
    assert [event for page in pages for event in page.events] == shown(events)
    assert all(len(page.events) == page_size for page in pages[:-1])
    assert pages[-1].next is None


async def test_a_page_goes_on_where_the_last_one_ended_while_newer_events_arrive(shelf: Shelf) -> None:
    events = many(20, per_ms=5)
    await shelf.put(events)
    first = await read_page(shelf.store, Selection(), None, 8)
    await shelf.put([Event(START_MS + 100, "brasil.sul.new", "1"), Event(START_MS + 3, "brasil.zzz.new", "")])
    assert first.next is not None
    rest = await read_page(shelf.store, Selection(), parse_cursor(str(first.next)), 100)
    seen = [*first.events, *rest.events]
    assert len(set(seen)) == len(seen)
    assert set(shown(events)) <= set(seen)


async def test_a_limit_ends_the_pages(shelf: Shelf) -> None:
    await shelf.put(many(30))
    pages = [page async for page in read_pages(shelf.store, Selection(), None, 10, 4)]
    assert [len(page.events) for page in pages] == [4, 4, 2]
    assert pages[-1].next is not None


@pytest.mark.parametrize("limit", [1, 3, 100])
@pytest.mark.parametrize("text", ["norte", "S3", "ÇA", "1", "", "nothing like it"])
async def test_a_search_finds_all_of_it_once_however_little_it_looks_at(shelf: Shelf, text: str, limit: int) -> None:
    events = [*many(60, per_ms=7), Event(START_MS + 3, "brasil.sul.s1", "açaí"), Event(START_MS, "a.b.s33", "<b>")]
    await shelf.put(events)
    found: list[StoredEvent] = []
    cursor, pages = None, 0
    while pages == 0 or cursor is not None:
        page = await search_page(shelf.store, Search.of(Selection(), text), cursor, limit, most_looked_at=10)
        assert len(page.events) <= limit
        found, cursor, pages = [*found, *page.events], page.next, pages + 1
    assert found == [event for event in shown(events) if text.lower() in f"{event.tag} {event.valor}".lower()]


EVENTS = st.lists(st.builds(Event, st.integers(START_MS, START_MS + 3), TAGS, VALORES), max_size=8)


@given(events=EVENTS)
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_law_what_the_embedded_store_holds_is_what_was_sent(
    events: list[Event], tmp_path_factory: pytest.TempPathFactory
) -> None:
    async with embedded(tmp_path_factory.mktemp("law")) as shelf:
        await shelf.put(events)
        assert [(e.tag, e.valor) for e in (await shelf.store.events(Selection(), None, 100)).events] == [
            (e.tag, e.valor) for e in _kept(events)
        ]


@given(events=EVENTS)
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_law_what_influxdb_holds_is_what_was_sent(events: list[Event], influx_server: InfluxServer) -> None:
    bucket = f"law-{time_ns(0, repr(events))}-{id(events)}"
    make_bucket(influx_server, bucket)
    make_bucket(influx_server, f"{bucket}-rollup")
    async with influx(influx_server, bucket) as shelf:
        await shelf.put(events)
        assert (await shelf.store.events(Selection(), None, 100)).events == shown(events)


def _kept(events: Sequence[Event]) -> list[StoredEvent]:
    """The embedded store keeps every distinct text, also where two are the same number: "1" and "1.0"."""
    rows = {(time_ns(e.timestamp_ms, e.valor), e.tag, e.valor) for e in events}
    return [StoredEvent(time, tag, shown_valor(valor)) for time, tag, valor in sorted(rows, reverse=True)]


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "1",
        "1~2",
        "x~0~a.b.c",
        "1~-5~a",
        "-1~0~a",
        "1~99999~a",
        "9" * 19 + "~0~a",
        "9" * 30 + "~0~a",
        "1~1",
        "٣~0~a",
    ],
)
def test_a_forged_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(BadParameter, match="cursor"):
        parse_cursor(cursor)


def store_at(address: InfluxAddress) -> InfluxStore:
    return InfluxStore(InfluxQL(address, 5.0), InfluxQL(address, 5.0))


async def test_a_store_that_is_away_says_so() -> None:
    store = store_at(InfluxAddress(f"http://127.0.0.1:{free_port()}", "o", "b", "t"))
    with pytest.raises(StoreUnavailable, match="does not answer"):
        await store.counts(Selection())
    assert await store.trouble() is not None
    await store.close()


async def test_a_token_that_may_not_read_is_told(influx_server: InfluxServer, influx_bucket: str) -> None:
    store = store_at(InfluxAddress(influx_server.url, influx_server.org, influx_bucket, "wrong"))
    with pytest.raises(StoreUnavailable, match="401"):
        await store.counts(Selection())
    await store.close()


async def test_the_embedded_store_is_there_after_reopening(tmp_path: Path) -> None:
    async with embedded(tmp_path) as shelf:
        await shelf.put(many(10))
    async with embedded(tmp_path) as shelf:
        await shelf.put(many(12))
        assert (await shelf.store.events(Selection(), None, 100)).events == shown(many(12))


async def test_long_texts_make_short_pages_and_none_is_left_out(shelf: Shelf) -> None:
    events = [Event(START_MS + i // 3, f"a.b.s{i % 3}", f"{i}{'x' * 60_000}") for i in range(160)]
    for first in range(0, len(events), 10):
        await shelf.put(events[first : first + 10])
    seen: list[StoredEvent] = []
    cursor: Cursor | None = None
    while True:
        page = await read_page(shelf.store, Selection(), cursor, 10_000)
        assert sum(len(event.valor) for event in page.events) <= MAX_BYTES
        seen += page.events
        if page.next is None:
            break
        cursor = page.next
    assert seen == shown(events)


async def test_an_event_longer_than_a_page_may_be_is_a_page(shelf: Shelf) -> None:
    events = [Event(START_MS + i, "a.b.c", "x" * 5_000) for i in range(30)]
    await shelf.put(events)
    found = await shelf.store.events(Selection(), None, 30, max_bytes=1_000)
    assert len(found.events) >= 1
    assert found.is_cut
    assert found.events == shown(events)[: len(found.events)]
