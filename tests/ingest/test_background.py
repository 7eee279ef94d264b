import asyncio

import pytest

from ingest.background import beside


async def test_work_runs_beside_and_ends_with_the_context() -> None:
    steps: list[str] = []

    async def work() -> None:
        try:
            steps.append("begun")
            await asyncio.sleep(60)
        finally:
            steps.append("ended")

    async with beside(work()):
        await asyncio.sleep(0)
        assert steps == ["begun"]
    assert steps == ["begun", "ended"]


async def test_work_that_fails_takes_the_context_down_with_its_own_error() -> None:
    async def work() -> None:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        async with beside(work()):
            await asyncio.sleep(60)


async def test_an_error_in_the_context_comes_out_as_it_is() -> None:
    with pytest.raises(OSError, match="mine"):
        async with beside(asyncio.sleep(60)):
            raise OSError("mine")
