"""What the service says of itself: the main process, the workers beside it, and what those before have left."""

from collections.abc import Sequence

from prometheus_client import generate_latest

from ingest.backend import Leftover
from ingest.metrics import Metrics
from ingest.routes.service import Reasons, Warnings
from ingest.workers.crew import Crew
from ingest.workers.families import Collected, families_of, together


class Everybody:
    """``/metrics`` and ``/ready`` of all, as of one process."""

    def __init__(
        self, metrics: Metrics, reasons: Reasons, warnings: Warnings, crew: Crew, left: Sequence[Leftover]
    ) -> None:
        self._metrics = metrics
        self._reasons = reasons
        self._warnings = warnings
        self._crew = crew
        self._left = left

    async def exposition(self) -> bytes:
        """As of now; of a worker that does not answer, as of its last answer."""
        if not self._crew.members and not self._left:
            return self._metrics.exposition()
        await self._crew.look()
        parts = [self._metrics.collect(), *(one.metrics.collect() for one in self._left)]
        families = [*map(families_of, parts), *(member.families for member in self._crew.members)]
        return generate_latest(Collected(together(families)))

    async def reasons(self) -> list[str]:
        """What is wrong for all is said once."""
        own = await self._reasons()
        return [*own, *_others(self._crew.reasons(), own)]

    def warnings(self) -> list[str]:
        own = self._warnings()
        left = [
            f"worker {one.number}, which is no more: {said}" for one in self._left for said in one.intake.warnings()
        ]
        return [*own, *_others(self._crew.warnings(), own), *left]


def _others(said: Sequence[str], own: Sequence[str]) -> list[str]:
    return [one for one in said if one.partition(": ")[2] not in own]
