"""Events for the page to show, posted to the real service."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from aiohttp import ClientSession

from tests.ingest.web.viewer import Shown

Event = dict[str, str | int]


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def event(valor: str, tag: str = "brasil.sudeste.sensor01", timestamp: int | None = None) -> Event:
    return {"timestamp": now_ms() if timestamp is None else timestamp, "tag": tag, "valor": valor}


async def post(client: ClientSession, events: Sequence[Event]) -> None:
    """Fails unless every event is accepted."""
    async with client.post("/events", json=events) as answer:
        body = await answer.json()
        assert body == {"accepted": len(events), "rejected": []}, f"sent {len(events)} events, got {body}"


def shown(events: Sequence[Event]) -> list[Shown]:
    """As rows of the table, newest first; for events of different timestamps."""
    in_order = sorted(events, key=lambda each: -int(each["timestamp"]))
    return [
        Shown(
            _iso(int(each["timestamp"])),
            str(each["tag"]),
            str(each["valor"]),
            "processado" if each["valor"] else "erro",
        )
        for each in in_order
    ]


@asynccontextmanager
async def steadily(client: ClientSession, sent: list[Event], per_second: int) -> AsyncIterator[None]:
    """Post as long as the block runs; ``sent`` grows by what was accepted. Each event is later than those before it."""

    over = asyncio.Event()

    async def run() -> None:
        while not over.is_set():
            after = max([now_ms() - 50, *(int(each["timestamp"]) for each in sent[-1:])])
            size = per_second // 20
            batch = [event(f"live {len(sent) + i}", f"brasil.sul.sensor{i:02}", after + 1 + i) for i in range(size)]
            await post(client, batch)
            sent.extend(batch)
            await asyncio.sleep(0.05)

    posting = asyncio.create_task(run())
    try:
        yield
        assert not posting.done(), "posting broke off"
    finally:
        over.set()
        await posting


def _iso(timestamp_ms: int) -> str:
    return datetime.fromtimestamp(timestamp_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
