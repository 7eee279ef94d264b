"""What is read again while the service runs: tokens and certificates, when their files change and at SIGHUP."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, Protocol

import structlog

from ingest.access.unusable import Unusable
from ingest.background import beside

LOOK_SECONDS: Final = 1.0

_Signature = tuple[tuple[int, int, int] | None, ...]
# Puts what was read into use, and returns what the log says of it.
Apply = Callable[[], dict[str, object]]


class Readable(Protocol):
    """``read`` runs in a thread and raises Unusable; what it returns is then called in the loop."""

    name: str

    @property
    def files(self) -> Sequence[Path]: ...

    def read(self) -> Apply: ...


class Reload:
    """Reads again what has changed. What cannot be used changes nothing; the log and ``warnings`` say so.

    ``pass_on`` is called at SIGHUP, for processes that read the same.
    """

    def __init__(self, parts: Sequence[Readable]) -> None:
        self.pass_on: Callable[[], None] = lambda: None
        self._parts = [_Watched(part) for part in parts]
        self._asked = asyncio.Event()

    def warnings(self) -> list[str]:
        return [warning for part in self._parts for warning in part.warnings]

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Watch, from now on. Where there is nothing to read again, a SIGHUP ends the service as ever."""
        if not self._parts:
            yield
            return
        loop = asyncio.get_running_loop()
        # Before anybody can know that the service is there: until then the signal would end it.
        loop.add_signal_handler(signal.SIGHUP, self._ask)
        try:
            async with beside(self._watch()):
                yield
        finally:
            loop.remove_signal_handler(signal.SIGHUP)

    def _ask(self) -> None:
        self._asked.set()
        self.pass_on()

    async def _watch(self) -> None:
        while True:
            asked = await self._is_asked()
            for part in self._parts:
                await part.look(asked=asked)

    async def _is_asked(self) -> bool:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._asked.wait()
        except TimeoutError:
            return False
        self._asked.clear()
        return True


class _Watched:
    def __init__(self, part: Readable) -> None:
        self.warnings: list[str] = []
        self._part = part
        self._read = self._seen = _signature(part.files)
        self._log = structlog.get_logger("access")

    async def look(self, *, asked: bool) -> None:
        now = await asyncio.to_thread(_signature, self._part.files)
        # What is still being written looks different the next time.
        is_settled = now == self._seen
        self._seen = now
        if asked or (is_settled and now != self._read):
            self._read = now
            await self._read_again()

    async def _read_again(self) -> None:
        try:
            apply = await asyncio.to_thread(self._part.read)
            told = apply()
        except Unusable as bad:
            self._failed(bad.errors)
        except Exception as error:
            # Events are kept with what was read before, whatever is wrong with a file.
            self._failed([f"{self._part.name}: cannot be read again ({type(error).__name__})"], exc_info=error)
        else:
            self.warnings = []
            self._log.info("reloaded", what=self._part.name, **told)

    def _failed(self, errors: list[str], **details: object) -> None:
        self.warnings = [f"{error}; what was read before holds on" for error in errors]
        self._log.error("reload_failed", what=self._part.name, errors=errors, **details)


def _signature(files: Sequence[Path]) -> _Signature:
    return tuple(map(_file_signature, files))


def _file_signature(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
