"""The routes that tell how the service is: ``/health``, ``/ready`` and ``/metrics``."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

import msgspec
from aiohttp import web

from ingest.access.guard import CLIENT
from ingest.routes.answers import json_answer

Reasons = Callable[[], Coroutine[Any, Any, list[str]]]
Exposition = Callable[[], Coroutine[Any, Any, bytes]]
Warnings = Callable[[], list[str]]

_RECENT_SECONDS = 1.0
# They name hosts, files and amounts.
_NOT_TOLD = "told to those who may read: send a token"


class Readiness(msgspec.Struct, frozen=True):
    """``reasons`` says what keeps it from being ready, ``warnings`` what is wrong beside that."""

    ready: bool
    reasons: list[str]
    warnings: list[str]


class _Recent:
    """``reasons``, asked for by one at a time and remembered for a while: anybody may ask, and each asks the store."""

    def __init__(self, reasons: Reasons) -> None:
        self._reasons = reasons
        self._asking: asyncio.Task[list[str]] | None = None
        self._old_at = 0.0

    async def reasons(self) -> list[str]:
        asking = self._asking
        if asking is None or (asking.done() and time.monotonic() >= self._old_at):
            self._asking = asking = asyncio.create_task(self._ask())
        # Who goes away takes the answer from nobody else.
        return await asyncio.shield(asking)

    async def _ask(self) -> list[str]:
        try:
            return await self._reasons()
        finally:
            self._old_at = time.monotonic() + _RECENT_SECONDS


class ServiceRoutes:
    """``reasons`` names everything that keeps the service from doing its work now, ``warnings`` what does not."""

    def __init__(self, exposition: Exposition, reasons: Reasons, warnings: Warnings) -> None:
        self._exposition = exposition
        self._recent = _Recent(reasons)
        self._warnings = warnings

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/health", self.get_health),
            web.get("/ready", self.get_ready),
        ]

    def metrics_routes(self) -> list[web.RouteDef]:
        return [web.get("/metrics", self.get_metrics)]

    async def get_health(self, _: web.Request) -> web.Response:
        """The process lives."""
        return json_answer({"status": "pass"})

    async def get_ready(self, request: web.Request) -> web.Response:
        """503 with reasons while events cannot be kept or read; who may not read is told only that there are some."""
        reasons, warnings = await self._recent.reasons(), self._warnings()
        status = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
        if CLIENT not in request:
            reasons, warnings = ([_NOT_TOLD] if sentences else [] for sentences in (reasons, warnings))
        return json_answer(Readiness(not reasons, reasons, warnings), status)

    async def get_metrics(self, _: web.Request) -> web.Response:
        """Prometheus' text format."""
        return web.Response(
            body=await self._exposition(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        )
