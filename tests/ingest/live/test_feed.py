"""The feed: no event is missed between what was stored and what arrives, and a watcher that is slow is caught up."""

from pathlib import Path

from ingest.errors import StoreUnavailable
from ingest.event import Event
from ingest.events import Events
from ingest.live.arrivals import Arrivals
from ingest.live.feed import FRAME_CHARACTERS, FRAME_ROWS, SNAPSHOT_ROWS, Feed, News, Snapshot, Trouble
from ingest.metrics import Metrics
from ingest.store import MAX_BYTES, Found, Position, Selection
from ingest.store.embedded import EmbeddedStore
from ingest.store.paging import parse_cursor, read_page
from ingest.store.search import MOST_LOOKED_AT, Search, search_page

START_MS = 1_539_112_021_301
EVERYTHING = Search(Selection())


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class UnreadableStore(EmbeddedStore):
    """One that can be read again once ``is_well``."""

    is_well = False

    async def events(self, selection: Selection, at: Position | None, limit: int, max_bytes: int = MAX_BYTES) -> Found:
        if not self.is_well:
            raise StoreUnavailable("InfluxDB does not answer")
        return await super().events(selection, at, limit, max_bytes)


def many(first: int, number: int, tag: str = "a.b.c") -> list[Event]:
    return [Event(START_MS + i, tag, str(i)) for i in range(first, first + number)]


def valores(frame: Snapshot | News | Trouble) -> list[str]:
    assert not isinstance(frame, Trouble)
    return [row.valor for row in frame.rows]


def newest(last: int, number: int) -> list[str]:
    return [str(i) for i in range(last, last - number, -1)]


async def test_a_snapshot_joins_what_is_stored_and_what_only_just_arrived(tmp_path: Path) -> None:
    store, arrivals = EmbeddedStore(tmp_path, Metrics()), Arrivals()
    await store.append(Events.of(many(0, 8)), [])
    arrivals.add(Events.of(many(5, 10)))
    feed = Feed(store, arrivals, EVERYTHING, None, Clock())
    (snapshot,) = await feed.frames()
    assert isinstance(snapshot, Snapshot)
    assert (valores(snapshot), snapshot.whole, snapshot.cursor) == (newest(14, 15), True, None)
    assert await feed.frames() == []
    arrivals.add(Events.of(many(15, 2)))
    (news,) = await feed.frames()
    assert isinstance(news, News)
    assert (valores(news), news.arrived) == (newest(16, 2), 2)
    await store.close()


async def test_rows_lead_to_the_events_after_them(tmp_path: Path) -> None:
    store, arrivals = EmbeddedStore(tmp_path, Metrics()), Arrivals()
    await store.append(Events.of(many(0, SNAPSHOT_ROWS + 50)), [])
    (snapshot,) = await Feed(store, arrivals, EVERYTHING, None, Clock()).frames()
    assert isinstance(snapshot, Snapshot)
    assert len(snapshot.rows) == SNAPSHOT_ROWS
    page = await read_page(store, Selection(), parse_cursor(snapshot.rows[-1].cursor), 100)
    assert [event.valor for event in page.events] == newest(49, 50)
    assert snapshot.cursor == snapshot.rows[-1].cursor
    await store.close()


async def test_what_a_frame_has_no_room_for_is_counted(tmp_path: Path) -> None:
    store, arrivals = EmbeddedStore(tmp_path, Metrics()), Arrivals()
    feed = Feed(store, arrivals, EVERYTHING, arrivals.end, Clock())
    arrivals.add(Events.of(many(0, FRAME_ROWS + 10)))
    (news,) = await feed.frames()
    assert isinstance(news, News)
    assert (valores(news), news.arrived) == (newest(FRAME_ROWS + 9, FRAME_ROWS), FRAME_ROWS + 10)
    await store.close()


async def test_an_event_that_came_twice_is_told_once(tmp_path: Path) -> None:
    store, arrivals = EmbeddedStore(tmp_path, Metrics()), Arrivals()
    feed = Feed(store, arrivals, EVERYTHING, arrivals.end, Clock())
    arrivals.add(Events.of([*many(0, 2), *many(1, 2)]))
    (news,) = await feed.frames()
    assert isinstance(news, News)
    assert (valores(news), news.arrived) == (["2", "1", "0"], 3)
    await store.close()


async def test_a_frame_is_as_light_as_it_must_be_and_never_empty(tmp_path: Path) -> None:
    store, arrivals = EmbeddedStore(tmp_path, Metrics()), Arrivals()
    feed = Feed(store, arrivals, EVERYTHING, arrivals.end, Clock())
    for length, rows in ((FRAME_CHARACTERS // 4, 4), (FRAME_CHARACTERS * 2, 1)):
        arrivals.add(Events.of([Event(START_MS + i, "a.b.c", f"{i}" * length) for i in range(10)]))
        (news,) = await feed.frames()
        assert isinstance(news, News)
        assert (len(news.rows), news.arrived) == (rows, 10)
        assert [row.timestamp for row in news.rows] == [START_MS + i for i in range(9, 9 - rows, -1)]
    await store.close()


async def test_a_late_match_hides_none_that_the_search_has_not_come_to(tmp_path: Path) -> None:
    store, arrivals = EmbeddedStore(tmp_path, Metrics()), Arrivals()
    needles = [Event(START_MS + i, "a.b.c", f"needle {i}") for i in range(10)]
    hay = [Event(START_MS + 1_000 + i, "a.b.c", "hay") for i in range(MOST_LOOKED_AT + 100)]
    late = [Event(START_MS - 1, "a.b.c", "needle late")]
    await store.append(Events.of([*needles, *hay, *late]), [])
    arrivals.add(Events.of(late))
    search = Search.of(Selection(), "needle")
    (snapshot,) = await Feed(store, arrivals, search, None, Clock()).frames()
    assert isinstance(snapshot, Snapshot)
    assert (snapshot.rows, snapshot.whole) == ([], True)
    assert snapshot.cursor is not None
    page = await search_page(store, search, parse_cursor(snapshot.cursor), 100)
    assert [event.valor for event in page.events] == [f"needle {i}" for i in range(9, -1, -1)] + ["needle late"]
    await store.close()


async def test_a_watcher_that_is_too_far_behind_begins_anew(tmp_path: Path) -> None:
    store, arrivals = EmbeddedStore(tmp_path, Metrics()), Arrivals(most_kept=10)
    for first in (0, 20):
        await store.append(Events.of(many(first, 20)), [])
        arrivals.add(Events.of(many(first, 20)))
    (snapshot,) = await Feed(store, arrivals, EVERYTHING, 5, Clock()).frames()
    assert isinstance(snapshot, Snapshot)
    assert valores(snapshot) == newest(39, 40)
    await store.close()


async def test_a_feed_holds_only_what_is_looked_for(tmp_path: Path) -> None:
    store, arrivals = EmbeddedStore(tmp_path, Metrics()), Arrivals()
    search = Search.of(Selection(region="b", status="processado"), "OR")
    feed = Feed(store, arrivals, search, arrivals.end, Clock())
    arrivals.add(
        Events.of([Event(START_MS, f"a.{r}.{s}", v) for r in "bx" for s in ("porta", "c") for v in ("", "1", "norte")])
    )
    (news,) = await feed.frames()
    assert isinstance(news, News)
    assert sorted((row.tag, row.valor) for row in news.rows) == [
        ("a.b.c", "norte"),
        ("a.b.porta", "1"),
        ("a.b.porta", "norte"),
    ]
    arrivals.add(Events.of(many(0, 3)))
    assert await feed.frames() == []
    await store.close()


async def test_a_store_that_is_away_is_told_and_looked_at_again(tmp_path: Path) -> None:
    store, arrivals, clock = UnreadableStore(tmp_path, Metrics()), Arrivals(), Clock()
    await store.append(Events.of(many(0, 3)), [])
    arrivals.add(Events.of(many(3, 2)))
    feed = Feed(store, arrivals, EVERYTHING, None, clock)
    snapshot, trouble = await feed.frames()
    assert isinstance(snapshot, Snapshot)
    assert (valores(snapshot), snapshot.whole, feed.owes_a_snapshot) == (newest(4, 2), False, True)
    assert trouble == Trouble("InfluxDB does not answer")
    arrivals.add(Events.of(many(5, 1)))
    (news,) = await feed.frames()
    assert valores(news) == ["5"]
    clock.seconds = 60.0
    assert await feed.frames() == [], "the same trouble is told once"
    store.is_well = True
    assert await feed.frames() == [], "it is looked at every few seconds only"
    clock.seconds = 120.0
    (whole,) = await feed.frames()
    assert isinstance(whole, Snapshot)
    assert (valores(whole), whole.whole, feed.owes_a_snapshot) == (newest(5, 6), True, False)
    assert await feed.frames() == []
    await store.close()
