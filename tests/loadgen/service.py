"""A stand-in for ingest on a real socket: keeps events in a list, reads them with parsers of its own."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

LINE = re.compile(r'events,country=(\w+),region=(\w+),sensor=(\w+) valor="((?:[^"\\]|\\.)*)" (\d+)', re.DOTALL)


def parse_lines(text: str) -> list[dict[str, Any]]:
    """Line protocol as loadgen writes it; anything else fails here."""
    events = []
    for line in text.removesuffix("\n").split("\n"):
        match = LINE.fullmatch(line)
        assert match, f"not the line protocol agreed on: {line!r}"
        country, region, sensor, valor, timestamp = match.groups()
        valor = re.sub(r"\\(.)", r"\1", valor)
        events.append({"timestamp": int(timestamp), "tag": f"{country}.{region}.{sensor}", "valor": valor})
    return events


def shown(event: dict[str, Any]) -> dict[str, Any]:
    """The row the service answers for an event; numbers in their shortest form."""
    valor = event["valor"]
    if re.fullmatch(r"-?\d+\.\d+", valor):
        valor = repr(float(valor)).removesuffix(".0")
    return event | {"valor": valor, "status": "processado" if valor else "erro"}


@dataclass
class Service:
    """What it was sent, and how it shall behave."""

    url: str = ""
    rows: list[dict[str, Any]] = field(default_factory=list)
    posts: int = 0
    bodies: list[bytes] = field(default_factory=list)
    connections: set[object] = field(default_factory=set)
    content_types: set[str] = field(default_factory=set)
    encodings: set[str | None] = field(default_factory=set)
    status: int = 202
    retry_after: str | None = None
    reject_valor: str | None = None
    delay_seconds: float = 0.0
    hidden_reads: int = 0
    arrival: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def heard(self, posts: int) -> None:
        """Wait until so many posts have come in whole."""
        async with self.arrival:
            await asyncio.wait_for(self.arrival.wait_for(lambda: self.posts >= posts), 20)

    async def post(self, request: web.Request) -> web.Response:
        self.connections.add(request.transport)
        self.content_types.add(request.content_type)
        self.encodings.add(request.headers.get("Content-Encoding"))
        text = await request.text()
        self.bodies.append(await request.read())
        self.posts += 1
        async with self.arrival:
            self.arrival.notify_all()
        await asyncio.sleep(self.delay_seconds)
        if self.status != 202:
            headers = {"Retry-After": self.retry_after} if self.retry_after else {}
            return web.Response(status=self.status, headers=headers)
        if request.path == "/api/v2/write":
            assert request.query["precision"] == "ms", request.query_string
            self.rows += map(shown, parse_lines(text))
            return web.Response(status=204)
        return self._accept(_parse(request.content_type, text))

    def _accept(self, events: list[dict[str, Any]]) -> web.Response:
        bad = [index for index, event in enumerate(events) if event["valor"] == self.reject_valor]
        self.rows += [shown(event) for index, event in enumerate(events) if index not in bad]
        rejected = [{"index": index, "reason": "unloved"} for index in bad]
        status = 202 if len(bad) < len(events) else 400
        return web.json_response({"accepted": len(events) - len(bad), "rejected": rejected}, status=status)

    async def get_data(self, request: web.Request) -> web.StreamResponse:
        start, stop, limit = (int(request.query[name]) for name in ("start", "stop", "limit"))
        self.hidden_reads -= 1
        found = [] if self.hidden_reads >= 0 else [row for row in self.rows if start <= row["timestamp"] < stop]
        found = sorted(found, key=lambda row: -row["timestamp"])[:limit]
        body = "".join(json.dumps(row) + "\n" for row in found)
        return web.Response(text=body, content_type="application/x-ndjson")


def _parse(content_type: str, text: str) -> list[dict[str, Any]]:
    if content_type == "application/x-ndjson":
        return [json.loads(line) for line in text.splitlines()]
    assert content_type == "application/json", content_type
    parsed = json.loads(text)
    return parsed if isinstance(parsed, list) else [parsed]


@asynccontextmanager
async def serving() -> AsyncIterator[Service]:
    service = Service()
    app = web.Application(client_max_size=1 << 30)
    app.router.add_post("/events", service.post)
    app.router.add_post("/api/v2/write", service.post)
    app.router.add_get("/get_data", service.get_data)
    # A test may leave a request hanging on purpose.
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    service.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield service
    finally:
        await runner.cleanup()
