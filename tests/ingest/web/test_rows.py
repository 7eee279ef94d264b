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
        "cursor": f"{number:09}~1~a.b.c",
    }


def rows(*numbers: int) -> list[dict[str, object]]:
    return [row(number) for number in numbers]


def page(*numbers: int) -> list[dict[str, object]]:
    """Rows of ``/get_data``, which have no cursor."""
    return [{name: value for name, value in row(number).items() if name != "cursor"} for number in numbers]


async def test_news_go_where_their_time_says(script: Script) -> None:
    result = await script.run(["snapshot", rows(8, 6, 4)], ["arrive", rows(9, 7, 5), 3])
    assert result["valores"] == ["9", "8", "7", "6", "5", "4"]
    assert result["next"] == row(4)["cursor"]


async def test_rows_known_already_are_left_out(script: Script) -> None:
    result = await script.run(["snapshot", rows(8, 6)], ["arrive", rows(9, 8, 6), 3], ["arrive", rows(9), 1])
    assert result["valores"] == ["9", "8", "6"]


async def test_what_is_older_than_the_list_waits_for_its_page(script: Script) -> None:
    """Shown at once it would stand below a gap."""
    result = await script.run(["snapshot", rows(8, 6)], ["arrive", rows(3), 1])
    assert result["valores"] == ["8", "6"]
    result = await script.run(["snapshot", rows(8, 6)], ["arrive", rows(3), 1], ["older", page(5, 3), None])
    assert result["valores"] == ["8", "6", "5", "3"]


async def test_what_is_older_than_everything_is_shown_where_nothing_lies_between(script: Script) -> None:
    result = await script.run(["snapshot", rows(8, 6)], ["older", [], None], ["arrive", rows(3), 1])
    assert (result["valores"], result["next"]) == (["8", "6", "3"], None)


async def test_a_frame_that_leaves_rows_out_ends_what_lies_below_it(script: Script) -> None:
    result = await script.run(["snapshot", rows(8, 6, 4)], ["arrive", rows(12, 11, 7), 50])
    assert result["valores"] == ["12", "11", "8", "7"]
    assert result["next"] == row(7)["cursor"]


async def test_the_oldest_go_first_and_can_be_read_again(script: Script) -> None:
    result = await script.run(["snapshot", rows(8, 6, 4)], ["arrive", rows(9), 1], ["trimOldest", 2])
    assert (result["valores"], result["next"]) == (["9", "8"], row(8)["cursor"])
    # A row of a page has no cursor to go on from.
    result = await script.run(["snapshot", rows(8, 6)], ["older", page(5, 4), "x"], ["trimOldest", 3])
    assert (result["valores"], result["next"]) == (["8", "6"], row(6)["cursor"])


async def test_the_newest_go_where_too_much_was_read(script: Script) -> None:
    result = await script.run(["snapshot", rows(8, 6)], ["older", page(5, 4), "x"], ["trimNewest", 3, 1000])
    assert (result["valores"], result["next"], result["dropped"]) == (["6", "5", "4"], "x", 1)
    long = [row(8, "8" * 50), row(6, "6" * 50), row(5)]
    result = await script.run(["snapshot", long], ["trimNewest", 3, 20])
    assert result["valores"] == ["6" * 50, "5"], "what is over by one row is let be"


async def test_a_late_event_among_what_was_looked_through_in_vain_is_neither_lost_nor_there_twice(
    script: Script,
) -> None:
    steps: list[list[Any]] = [["snapshot", rows(90)], ["older", [], "000000050~1~a.b.c"], ["arrive", rows(70, 20), 2]]
    result = await script.run(*steps, ["older", page(40, 20, 10), None])
    assert result["valores"] == ["90", "70", "40", "20", "10"]


async def test_an_empty_list_is_read_from_the_top(script: Script) -> None:
    assert (await script.run(["snapshot", []]))["next"] == "top"
    result = await script.run(["snapshot", []], ["arrive", rows(9), 1], ["older", page(9, 3), None])
    assert result["valores"] == ["9", "3"]


async def test_whatever_order_events_arrive_in_the_list_is_a_beginning_of_the_store(
    script: Script,
) -> None:
    """After any frames its rows are the newest that are stored, without gap or repeat; reading on gives the rest."""
    examples = _examples()
    for frames in examples:
        stored: list[int] = []
        steps: list[list[Any]] = []
        for number, frame in enumerate(frames):
            stored = sorted({*stored, *frame}, reverse=True)
            newest = sorted(frame, reverse=True)
            told = newest[: max(1, len(newest) - number % 3)]
            steps.append(["snapshot", rows(*stored[:4])] if number == 0 else ["arrive", rows(*told), len(frame)])
            steps.append(["trimOldest", 6])
        seen = await script.run(*steps)
        shown = [int(valor) for valor in seen["valores"]]
        assert shown == stored[: len(shown)], f"after {frames}"
        rest = page(*(number for number in stored if str(row(number)["cursor"]) < seen["next"]))
        whole = await script.run(*steps, ["older", rest, None])
        assert [int(valor) for valor in whole["valores"]] == stored, f"after {frames}"


def _examples() -> list[list[list[int]]]:
    """What Hypothesis thinks of; the browser's loop cannot be entered from within its own."""
    found: list[list[list[int]]] = []

    @settings(max_examples=60, derandomize=True, database=None, deadline=None)
    @given(st.lists(st.lists(st.integers(1, 60), min_size=1, max_size=6, unique=True), min_size=1, max_size=8))
    def think(frames: list[list[int]]) -> None:
        found.append(frames)

    think()
    return found
