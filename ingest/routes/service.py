"""The routes that tell how the service is: ``/health``, ``/ready`` and ``/metrics``."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

import msgspec
from aiohttp import web

from ingest.access.guard import CLIENT
from ingest.metrics import Metrics
from ingest.routes.answers import json_answer

Reasons = Callable[[], Awaitable[list[str]]]
Warnings = Callable[[], list[str]]

# They name hosts, files and amounts.
_NOT_TOLD = "told to those who may read: send a token"


class Readiness(msgspec.Struct, frozen=True):
    """``reasons`` says what keeps it from being ready, ``warnings`` what is wrong beside that."""

    ready: bool
    reasons: list[str]
    warnings: list[str]


class ServiceRoutes:
    """``reasons`` names everything that keeps the service from doing its work now, ``warnings`` what does not."""

    def __init__(self, metrics: Metrics, reasons: Reasons, warnings: Warnings) -> None:
        self._metrics = metrics
        self._reasons = reasons
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
        reasons, warnings = await self._reasons(), self._warnings()
        status = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
        if CLIENT not in request:
            reasons, warnings = ([_NOT_TOLD] if sentences else [] for sentences in (reasons, warnings))
        return json_answer(Readiness(not reasons, reasons, warnings), status)

    async def get_metrics(self, _: web.Request) -> web.Response:
        """Prometheus' text format."""
        return web.Response(
            body=self._metrics.exposition(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        )
