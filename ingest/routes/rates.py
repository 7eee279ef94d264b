"""How many requests a second each client may make."""

import time
from collections.abc import Callable, Sequence

from aiohttp import web

from ingest.access.guard import CLIENT, PASS
from ingest.access.passes import Pass
from ingest.errors import TooManyRequests
from ingest.metrics import Metrics
from ingest.routes.answers import Handler
from ingest.token_bucket import TokenBucket


class Rates:
    """Wraps routes inside the guard's wrapper, for ``per_second`` requests of each token; 0 is no limit.

    All who need no token share one allowance: by address it would be none, for addresses cost an attacker nothing, and
    behind a proxy all have the same.
    """

    def __init__(
        self, per_second: float, metrics: Metrics, clock_seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_second = per_second
        self._metrics = metrics
        self._clock_seconds = clock_seconds
        # By name: there are as many as there are tokens.
        self._buckets: dict[str, TokenBucket] = {}

    def limited(self, routes: Sequence[web.RouteDef]) -> list[web.RouteDef]:
        if not self._per_second:
            return list(routes)
        return [web.RouteDef(route.method, route.path, self._limited(route.handler), route.kwargs) for route in routes]

    def _limited(self, handler: Handler) -> Handler:
        async def counted(request: web.Request) -> web.StreamResponse:
            bucket = self._take(request[CLIENT].name)
            if (admitted := request.get(PASS)) is not None:
                request[PASS] = _LimitedPass(admitted, bucket)
            return await handler(request)

        return counted

    def _take(self, client: str) -> TokenBucket:
        bucket = self._buckets.get(client) or self._new_bucket(client)
        wait_seconds = bucket.take()
        if wait_seconds:
            self._metrics.refused.labels(TooManyRequests.code, client).inc()
            raise TooManyRequests(client, self._per_second, wait_seconds)
        return bucket

    def _new_bucket(self, client: str) -> TokenBucket:
        bucket = TokenBucket(self._per_second, max(1.0, self._per_second), self._clock_seconds)
        self._buckets[client] = bucket
        return bucket


class _LimitedPass:
    """Holds while there is something left of its holder's allowance, too."""

    def __init__(self, admitted: Pass, bucket: TokenBucket) -> None:
        self._admitted = admitted
        self._bucket = bucket

    def holds(self) -> bool:
        return self._admitted.holds() and not self._bucket.wait_seconds()

    def use(self) -> None:
        self._admitted.use()
        self._bucket.take()
