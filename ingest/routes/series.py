"""The route that the graph reads: ``/series``."""

from collections.abc import Callable, Sequence

import msgspec
from aiohttp import web
from multidict import MultiMapping

from ingest.errors import BadParameter
from ingest.event import MAX_TIMESTAMP_MS
from ingest.minutes import MINUTE_MS
from ingest.routes import parameters
from ingest.routes.answers import JSON, in_pieces
from ingest.routes.turns import Turns
from ingest.steps import LONGEST_OF_EVENTS_MS, STEPS_MS, Steps, aligned, steps
from ingest.store import Numbers, Selection, Store
from ingest.tag import is_segment

DEFAULT_RANGE_MS = 15 * MINUTE_MS
DEFAULT_POINTS = 300
MOST_POINTS = 5_000
MOST_PATHS = 12
_PARAMETERS = ("path", "start", "stop", "points", "step")


class Line(msgspec.Struct, frozen=True):
    """What a path's numeric events were, step by step; a step without any is left out. ``times`` are in Unix ms."""

    path: str
    times: list[int]
    n: list[int]
    mean: list[float | None]
    min: list[float]
    max: list[float]

    @classmethod
    def of(cls, path: str, found: Sequence[Numbers]) -> "Line":
        return cls(
            path,
            times=[step.start_ms for step in found],
            n=[step.numbers for step in found],
            mean=[step.mean for step in found],
            min=[step.least for step in found],
            max=[step.most for step in found],
        )


class Graph(msgspec.Struct, frozen=True):
    """What ``/series`` answers: whole steps of ``step_ms`` from ``start`` up to, not including, ``stop``."""

    start: int
    stop: int
    step_ms: int
    source: str
    series: list[Line]


class SeriesRoutes:
    """Reads from ``store``; a range without an end ends at ``clock_ms()``."""

    def __init__(self, store: Store, clock_ms: Callable[[], int], turns: Turns) -> None:
        self._store = store
        self._turns = turns
        self._clock_ms = clock_ms

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/series", self.get_series)]

    async def get_series(self, request: web.Request) -> web.StreamResponse:
        """Numeric events by steps of time: a line for each ``path``, of a country, a region or a sensor."""
        parameters.only(request.query, _PARAMETERS, repeatable=("path",))
        paths = _paths(request.query)
        graph = self._steps(request.query)
        async with self._turns.reading(request):
            # One after the other: a turn is for one query at a time.
            lines = [Line.of(path, await self._store.numbers(_selection(path, graph), graph.step_ms)) for path in paths]
            body = msgspec.json.encode(Graph(graph.start_ms, graph.stop_ms, graph.step_ms, graph.source, lines)) + b"\n"
        with self._turns.writing(request):
            return await in_pieces(request, body, {"Content-Type": JSON})

    def _steps(self, query: MultiMapping[str]) -> Steps:
        stop_ms = parameters.time_ms(query, "stop")
        stop_ms = self._clock_ms() if stop_ms is None else stop_ms
        start_ms = parameters.time_ms(query, "start")
        start_ms = stop_ms - DEFAULT_RANGE_MS if start_ms is None else start_ms
        if start_ms >= stop_ms:
            raise BadParameter("start must be before stop")
        points = min(parameters.positive(query, "points", DEFAULT_POINTS), MOST_POINTS)
        if "step" in query:
            chosen = aligned(start_ms, stop_ms, _step_ms(query, stop_ms - start_ms))
        else:
            chosen = steps(start_ms, stop_ms, points)
        if max(abs(chosen.start_ms), abs(chosen.stop_ms)) > MAX_TIMESTAMP_MS:
            raise BadParameter("that range is beyond the times that can be kept")
        if (chosen.stop_ms - chosen.start_ms) // chosen.step_ms > MOST_POINTS + 1:
            raise BadParameter(f"that range has more than {MOST_POINTS} steps; ask for a shorter one")
        return chosen


def _step_ms(query: MultiMapping[str], length_ms: int) -> int:
    step_ms = parameters.positive(query, "step", 0)
    if step_ms not in STEPS_MS:
        raise BadParameter(f"step must be one of {', '.join(map(str, STEPS_MS))} (ms)")
    if step_ms < MINUTE_MS and length_ms > LONGEST_OF_EVENTS_MS:
        raise BadParameter("a step below a minute needs a range of at most 15 minutes")
    return step_ms


def _paths(query: MultiMapping[str]) -> list[str]:
    paths = list(dict.fromkeys(query.getall("path", [])))
    if not 1 <= len(paths) <= MOST_PATHS:
        raise BadParameter(f"ask for 1 to {MOST_PATHS} paths, such as path=brasil.sudeste")
    for path in paths:
        segments = path.split(".")
        if len(segments) > 3 or not all(segment and is_segment(segment) for segment in segments):
            raise BadParameter(f"path {path[:80]!r} must be country, country.region or country.region.sensor")
    return paths


def _selection(path: str, graph: Steps) -> Selection:
    country, region, sensor = [*path.split("."), None, None][:3]
    return Selection(graph.start_ms, graph.stop_ms, country, region, sensor)
