"""The known series, and how many more are taken."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b
from threading import Lock

import structlog

from ingest.errors import IngestError
from ingest.event import Event
from ingest.reject import Reject
from ingest.seldom import Seldom
from ingest.series.names import Name, name_of_line
from ingest.token_bucket import TokenBucket

# Nothing is on its way to the disk for longer; what has not arrived by then never will.
_UNSAVED_SECONDS = 60.0
_RECENTLY_SECONDS = 60.0
_MAX_SHOWN_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class SeriesLimits:
    """How many series may be known in all, and how many new ones a minute; 0 is no limit."""

    max_series: int = 0
    max_new_a_minute: int = 0


class Standing(Enum):
    """What a series is whose points may be kept."""

    KNOWN = "known"
    NEW = "new"
    """Some of its points are on their way to the disk, none is there yet: ask again next time."""


class Registry:
    """Knows a series by the 8 bytes of its ``id``, about 90 bytes of memory each; any thread may use it.

    A series becomes known when points of it are on disk. One whose points never got there is forgotten again. ``known``
    are those of earlier; while ``learning`` not all of those are in it yet, so that new ones are not counted by the
    minute.
    """

    def __init__(
        self,
        limits: SeriesLimits,
        known: Iterable[int] = (),
        *,
        learning: bool = False,
        clock_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits
        self._known = set(known)
        self._unsaved: dict[int, float] = {}
        self._rate = TokenBucket(limits.max_new_a_minute / 60, limits.max_new_a_minute, clock_seconds)
        self._learning = learning
        self._clock_seconds = clock_seconds
        self._lock = Lock()
        self._refused: tuple[Reject, float] | None = None
        self._tell = Seldom(structlog.get_logger("series").warning)

    def admit(self, name: Name) -> Standing | Reject:
        """Whether points of the series ``name`` may be kept, or why not."""
        series = id_of(name)
        with self._lock:
            if series in self._known:
                return Standing.KNOWN
            if series in self._unsaved:
                return Standing.NEW
            now = self._clock_seconds()
            self._forget_unsaved(now - _UNSAVED_SECONDS)
            refusal = self._refusal()
            if refusal is not None:
                self._refused = (refusal, now)
                self._tell(
                    "series_refused",
                    code=refusal.code,
                    reason=refusal.reason,
                    example=str(name)[:_MAX_SHOWN_CHARACTERS],
                )
                return refusal
            self._unsaved[series] = now
            return Standing.NEW

    def unsaved(self, events: Iterable[Event], lines: Iterable[bytes]) -> Sequence[int]:
        """The ids of those series of ``events`` and ``lines`` that have to get on disk with them."""
        if not self._unsaved:
            return ()
        names: set[Name] = {event.tag for event in events}
        names.update(name_of_line(line) for line in lines)
        ids = map(id_of, names)
        with self._lock:
            return [series for series in ids if series in self._unsaved]

    @contextmanager
    def saving(self, unsaved: Sequence[int]) -> Iterator[None]:
        """While the first points of these series are made durable: unless that is refused, they are known then."""
        try:
            yield
        except IngestError:
            raise
        except BaseException:
            # Whoever waited for it is gone; what is on disk must never be refused as new.
            self._saved(unsaved)
            raise
        self._saved(unsaved)

    def learned(self, ids: Iterable[int], *, all_of_them: bool = False) -> None:
        """Series of earlier; after ``all_of_them`` new ones are counted by the minute."""
        with self._lock:
            self._known.update(ids)
            self._learning = self._learning and not all_of_them

    def gauges(self) -> dict[str, float]:
        return {"series": len(self._known) + len(self._unsaved)}

    def warnings(self) -> list[str]:
        """That new series are being refused, while they are."""
        if self._refused is None or self._clock_seconds() - self._refused[1] > _RECENTLY_SECONDS:
            return []
        return [f"new sensors are refused: {self._refused[0].reason}"]

    def _saved(self, series: Sequence[int]) -> None:
        if series:
            with self._lock:
                self._known.update(series)
                for one in series:
                    self._unsaved.pop(one, None)

    def _refusal(self) -> Reject | None:
        limits = self._limits
        if limits.max_series and len(self._known) + len(self._unsaved) >= limits.max_series:
            return Reject(
                "series_limit",
                f"it is of a new series, and {limits.max_series} are known, which is all that max_series allows:"
                " if it is a real sensor, raise --max-series",
            )
        if limits.max_new_a_minute and not self._learning and self._rate.take():
            return Reject(
                "series_rate",
                f"it is of a new series, and {limits.max_new_a_minute} new ones have come within a minute:"
                " send it again later, or raise --max-new-series-a-minute",
            )
        return None

    def _forget_unsaved(self, admitted_before: float) -> None:
        while self._unsaved:
            series, admitted_at = next(iter(self._unsaved.items()))
            if admitted_at >= admitted_before:
                break
            del self._unsaved[series]


def id_of(name: Name) -> int:
    """What stands for a series where its name would take too much room: 64 bits, as SQLite keeps an integer."""
    text = name if isinstance(name, bytes) else name.encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), signed=True)
