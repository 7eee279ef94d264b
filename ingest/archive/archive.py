"""The archive as the service sees it: a place beside the sink, and work that goes on in the background."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import compress
from typing import NamedTuple, TypeVar

import structlog

from ingest.archive.folder import ArchiveFolder
from ingest.archive.housekeeping import Holding, Housekeeper, at_low_priority
from ingest.archive.names import FOLDERS
from ingest.archive.retention import Retention
from ingest.archive.writer import Patience, Writer
from ingest.errors import IngestError
from ingest.event import ERRO, PROCESSADO
from ingest.events import Events
from ingest.metrics import ArchiveMetrics

Result = TypeVar("Result")


class _Part(NamedTuple):
    status: str
    events: Events
    texts: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the disk is looked after: after a failure, and the files as a whole."""

    tick_seconds: float = 1.0
    tidy_seconds: float = 60.0


class Archive:
    """Writes every kept event to the folder, exactly as it was received. Raises FolderInUse when made.

    It is never a reason to refuse an event: what it cannot write it keeps in memory, then misses, and says so.
    """

    def __init__(
        self,
        folder: ArchiveFolder,
        retention: Retention,
        metrics: ArchiveMetrics,
        clock_ms: Callable[[], int],
        *,
        patience: Patience | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._folder = folder
        self._log = structlog.get_logger("archive")
        try:
            folder.claim()
        except OSError as error:
            self._log.error("archive_not_opened", folder=str(folder.path), error=str(error))
        self._writers = {status: Writer(folder, status, metrics, patience or Patience()) for status in FOLDERS}
        self._housekeeper = Housekeeper(folder.path, retention, metrics)
        self._house = ThreadPoolExecutor(1, "archive-house", at_low_priority)
        self._pace = pace or Pace()
        self._clock_ms = clock_ms
        self._holding = Holding()
        self._last_was_refused = False
        self._last_trouble = ""

    async def beside(self, keeping: Awaitable[None], events: Events, texts: Sequence[bytes]) -> None:
        """Await ``keeping``, which makes ``events`` durable, while they are archived; raises what it raises."""
        if self._last_was_refused:
            # What is refused is sent again and again; only what is kept at last belongs here.
            await keeping
            self._last_was_refused = False
            for written in self._put(events, texts):
                await written
            return
        writing = self._put(events, texts)
        try:
            await keeping
        except IngestError:
            self._last_was_refused = True
            raise
        for written in writing:
            await written

    def warnings(self) -> list[str]:
        """What the operator should look at; events are kept all the same."""
        troubles = {name: self._writers[status].trouble for status, name in FOLDERS.items()}
        return [f"the archive's {name} events are not written: {what}" for name, what in troubles.items() if what]

    def gauges(self) -> dict[str, float]:
        return {
            "archive_files": self._holding.files,
            "archive_bytes": self._holding.bytes,
            "archive_waiting_bytes": sum(writer.waiting_bytes for writer in self._writers.values()),
            "archive_failing": float(bool(self.warnings())),
        }

    async def run(self) -> None:
        """Try a failing disk again, and look after hours that are over, for ever."""
        await asyncio.gather(self._tick(), self._keep_house())

    async def close(self) -> None:
        """Write what waits, and let go of the folder."""
        self._housekeeper.stop()
        await asyncio.to_thread(self._house.shutdown)
        await asyncio.gather(*(writer.close() for writer in self._writers.values()))
        self._folder.release()

    def _put(self, events: Events, texts: Sequence[bytes]) -> list[asyncio.Future[None]]:
        now_ms = self._clock_ms()
        parts = _by_status(events, texts)
        writing = [self._writers[part.status].put(now_ms, part.events, part.texts) for part in parts]
        return [written for written in writing if written]

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(self._pace.tick_seconds)
            for writer in self._writers.values():
                writer.tick()

    async def _keep_house(self) -> None:
        while True:
            try:
                await self._tidy(self._clock_ms())
                self._last_trouble = ""
            except Exception as error:
                # Whatever it is, it is no reason to end the service.
                if self._last_trouble != repr(error):
                    self._log.warning("archive_not_tidy", folder=str(self._folder.path), error=repr(error))
                self._last_trouble = repr(error)
            await asyncio.sleep(self._pace.tidy_seconds)

    async def _tidy(self, now_ms: int) -> None:
        for status, writer in self._writers.items():
            await writer.seal(await self._in_house(partial(self._housekeeper.past_hours, now_ms, status)))
        self._holding = await self._in_house(partial(self._housekeeper.tidy, now_ms))

    async def _in_house(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._house, work)


def _by_status(events: Events, texts: Sequence[bytes]) -> list[_Part]:
    valores = events.valores
    if all(valores):
        return [_Part(PROCESSADO, events, texts)]
    if not any(valores):
        return [_Part(ERRO, events, texts)]
    blank = [not valor for valor in valores]
    return [
        _Part(status, events.chosen(chosen), list(compress(texts, chosen)))
        for status, chosen in ((PROCESSADO, valores), (ERRO, blank))
    ]
