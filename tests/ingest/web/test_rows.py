"""The logic of the list in ``rows.js``, run where it runs: in the browser, as the service gives it out."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.async_api import Browser, Page

from ingest.settings import Settings
from tests.ingest.service import serving
from tests.ingest.web.viewer import viewing

pytestmark = pytest.mark.asyncio(loop_scope="session")


@dataclass
class Script:
    """Runs steps on a new list, and gives back what is in it."""

    page: Page

    async def run(self, *steps: list[Any]) -> dict[str, Any]:
        body = """async (steps) => {
          const { RowList } = await import('/assets/rows.js');
          const list = new RowList();
          for (const [name, ...given] of steps) list[name](...given);
          return { valores: list.rows.map((row) => row.valor), next: list.next, dropped: list.droppedNewer };
        }"""
        result: dict[str, Any] = await self.page.evaluate(body, list(steps))
        return result


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def script(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Script]:
    options = Settings(data_dir=tmp_path_factory.mktemp("data"), port=0)
    async with serving(options) as client, viewing(browser, client) as viewer:
        yield Script(viewer.page)


def row(number: int, valor: str = "") -> dict[str, object]:
    """A row of the stream, the later the greater its number."""
    return {
        "timestamp": number,
        "tag": "a.b.c",
        "valor": valor or str(number),
        "status": "processado",
        "cursor": after(number),
    }


def after(number: int) -> str:
    """The cursor that leads to what follows a row."""
    return f"{number * 1_000_000}~1~a.b.c"


def before(number: int) -> str:
    """A cursor of a search that has come to what nobody looks for, and to a row next."""
    return f"{number * 1_000_000 + 500_000}~1~x.y.z"


def rows(*numbers: int) -> list[dict[str, object]]:
    return [row(number) for number in numbers]


def page(*numbers: int) -> list[dict[str, object]]:
    """Rows of ``/get_data``, which have no cursor."""
    return [{name: value for name, value in row(number).items() if name != "cursor"} for number in numbers]


def snapshot(*numbers: int) -> list[Any]:
    """The step of one below which there are older events."""
    return ["snapshot", rows(*numbers), after(numbers[-1])]


async def test_news_go_where_their_time_says(script: Script) -> None:
    result = await script.run(snapshot(8, 6, 4), ["arrive", rows(9, 7, 5), 3])
    assert result["valores"] == ["9", "8", "7", "6", "5", "4"]
    assert result["next"] == row(4)["cursor"]


async def test_rows_known_already_are_left_out(script: Script) -> None:
    result = await script.run(snapshot(8, 6), ["arrive", rows(9, 8, 6), 3], ["arrive", rows(9), 1])
    assert result["valores"] == ["9", "8", "6"]


async def test_what_is_older_than_the_list_waits_for_its_page(script: Script) -> None:
    """Shown at once it would stand below a gap."""
    result = await script.run(snapshot(8, 6), ["arrive", rows(3), 1])
    assert result["valores"] == ["8", "6"]
    result = await script.run(snapshot(8, 6), ["arrive", rows(3), 1], ["older", page(5, 3), None])
    assert result["valores"] == ["8", "6", "5", "3"]


async def test_what_is_older_than_everything_is_shown_where_nothing_lies_between(script: Script) -> None:
    result = await script.run(snapshot(8, 6), ["older", [], None], ["arrive", rows(3), 1])
    assert (result["valores"], result["next"]) == (["8", "6", "3"], None)


async def test_a_frame_that_leaves_rows_out_ends_what_lies_below_it(script: Script) -> None:
    result = await script.run(snapshot(8, 6, 4), ["arrive", rows(12, 11, 7), 50])
    assert result["valores"] == ["12", "11", "8", "7"]
    assert result["next"] == row(7)["cursor"]


async def test_the_oldest_go_first_and_can_be_read_again(script: Script) -> None:
    result = await script.run(snapshot(8, 6, 4), ["arrive", rows(9), 1], ["trimOldest", 2])
    assert (result["valores"], result["next"]) == (["9", "8"], row(8)["cursor"])
    # A row of a page has no cursor to go on from.
    result = await script.run(snapshot(8, 6), ["older", page(5, 4), after(4)], ["trimOldest", 3])
    assert (result["valores"], result["next"]) == (["8", "6"], row(6)["cursor"])


async def test_the_newest_go_where_too_much_was_read(script: Script) -> None:
    result = await script.run(snapshot(8, 6), ["older", page(5, 4), after(4)], ["trimNewest", 3, 1000])
    assert (result["valores"], result["next"], result["dropped"]) == (["6", "5", "4"], after(4), 1)
    long = [row(8, "8" * 50), row(6, "6" * 50), row(5)]
    result = await script.run(["snapshot", long, after(5)], ["trimNewest", 3, 20])
    assert result["valores"] == ["6" * 50, "5"], "what is over by one row is let be"


@pytest.mark.parametrize("found", [[], [80]], ids=str)
async def test_a_late_event_among_what_was_looked_through_in_vain_is_neither_lost_nor_there_twice(
    script: Script, found: list[int]
) -> None:
    steps: list[list[Any]] = [snapshot(90), ["older", page(*found), before(50)]]
    steps.append(["arrive", rows(70, 20), 2])
    assert (await script.run(*steps))["valores"] == [str(number) for number in (90, *found, 70)]
    result = await script.run(*steps, ["older", page(40, 20, 10), None])
    assert result["valores"] == [str(number) for number in (90, *found, 70, 40, 20, 10)]


async def test_an_event_twice_in_a_frame_is_one_row(script: Script) -> None:
    assert (await script.run(snapshot(8, 8, 6), ["arrive", rows(9, 9), 2]))["valores"] == ["9", "8", "6"]


@pytest.mark.parametrize(
    "steps",
    [
        ["page of both", "one", "both"],
        ["page of one", "both"],
        ["both", "page of both"],
        ["one", "page of both", "both"],
    ],
    ids=", ".join,
)
async def test_two_spellings_of_a_number_are_two_rows_whether_pages_or_the_stream_bring_them(
    script: Script, steps: list[str]
) -> None:
    """They show alike; only the stream's cursors tell them apart."""
    one, other = row(9, "23.5"), row(9, "23.5") | {"cursor": "9000777~1~a.b.c"}
    read = page(9)[0] | {"valor": "23.5"}
    as_steps: dict[str, list[Any]] = {
        "one": ["arrive", [one], 1],
        "both": ["arrive", [other, one], 2],
        "page of one": ["older", [read], None],
        "page of both": ["older", [read, dict(read)], None],
    }
    result = await script.run(["snapshot", [], "top"], *(as_steps[step] for step in steps))
    assert result["valores"] == ["23.5", "23.5"]


async def test_older_events_go_on_where_the_snapshot_says(script: Script) -> None:
    steps: list[list[Any]] = [["snapshot", rows(90), before(50)], ["arrive", rows(70, 40), 2]]
    result = await script.run(*steps)
    assert (result["valores"], result["next"]) == (["90", "70"], before(50))
    assert (await script.run(["snapshot", rows(9), None], ["arrive", rows(3), 1]))["valores"] == ["9", "3"]
    # Of a store that could not be read: whatever it has is read from the top.
    steps = [["snapshot", rows(9, 5), "top"], ["arrive", rows(3), 1], ["trimOldest", 2]]
    result = await script.run(*steps, ["older", page(9, 7, 5), after(5)])
    assert (result["valores"], result["next"]) == (["9", "7", "5"], after(5))


async def test_an_empty_list_is_read_from_the_top(script: Script) -> None:
    assert (await script.run(["snapshot", [], "top"]))["next"] == "top"
    result = await script.run(["snapshot", [], "top"], ["arrive", rows(9), 1], ["older", page(9, 3), None])
    assert result["valores"] == ["9", "3"]


async def test_whatever_order_events_arrive_in_the_list_is_a_beginning_of_the_store(
    script: Script,
) -> None:
    """After every step its rows are those that are stored down to where the next page begins, without gap or repeat."""
    for example in _examples():
        watch = Watch(script)
        await watch.begin(*example.begin)
        for step in example.steps:
            await (watch.read_on(*step) if isinstance(step, tuple) else watch.arrive(step))
        await watch.read_on(FARTHEST, FARTHEST)


FARTHEST = 100


class Watch:
    """A list and the store that it shows; numbers stand for events."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.stored: set[int] = set()
        self.steps: list[list[Any]] = []
        self.next: str | None = None

    async def begin(self, stored: list[int], most: int, reach: int) -> None:
        self.stored = set(stored)
        found, cursor = self._page(most, reach)
        await self._step("snapshot", rows(*found), cursor)

    async def arrive(self, frame: list[int]) -> None:
        """Not all of the frame may be told; the list may be cut."""
        self.stored |= set(frame)
        newest = sorted(frame, reverse=True)
        told = newest[: max(1, len(newest) - len(self.steps) % 3)]
        await self._step("arrive", rows(*told), len(frame))
        await self._step("trimOldest", 6)

    async def read_on(self, most: int, reach: int) -> None:
        if self.next is not None:
            found, cursor = self._page(most, reach)
            await self._step("older", page(*found), cursor)

    def _page(self, most: int, reach: int) -> tuple[list[int], str | None]:
        """Up to ``most`` events, looked for among ``reach`` places, whether one is there or not."""
        start = FARTHEST if self.next in (None, "top") else _first_below(self.next)
        found = sorted((number for number in self.stored if start >= number > start - reach), reverse=True)
        if len(found) > most:
            return found[:most], after(found[most - 1])
        return found, before(start - reach) if start > reach else None

    async def _step(self, *step: Any) -> None:
        self.steps.append(list(step))
        seen = await self.script.run(*self.steps)
        self.next = seen["next"]
        if self.next != "top":
            down_to = 0 if self.next is None else _first_below(self.next) + 1
            there = sorted((number for number in self.stored if number >= down_to), reverse=True)
            assert [int(valor) for valor in seen["valores"]] == there, f"after {self.steps}"


def _first_below(cursor: str | None) -> int:
    """The greatest number whose row may follow."""
    assert cursor is not None
    return (int(cursor.split("~")[0]) - 1) // 1_000_000


@dataclass(frozen=True)
class Example:
    """What is stored, and how the list begins; then frames, and pages as (most, reach)."""

    begin: tuple[list[int], int, int]
    steps: list[list[int] | tuple[int, int]]


def _examples() -> list[Example]:
    """What Hypothesis thinks of; the browser's loop cannot be entered from within its own."""
    found: list[Example] = []
    number = st.integers(1, 60)
    most, reach = st.integers(1, 4), st.integers(1, 60)
    frame = st.lists(number, min_size=1, max_size=6)

    @settings(max_examples=60, derandomize=True, database=None, deadline=None)
    @given(
        st.builds(
            Example,
            st.tuples(st.lists(number, max_size=10), most, st.integers(41, 100)),
            st.lists(frame | st.tuples(most, reach), min_size=1, max_size=8),
        )
    )
    def think(example: Example) -> None:
        found.append(example)

    think()
    return found
