"""The known series, and how many more are taken."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from hashlib import blake2b
from threading import Lock

import structlog

from ingest.errors import IngestError
from ingest.events import Events
from ingest.reject import Reject
from ingest.seldom import Seldom
from ingest.series.known import Known, Standing
from ingest.series.names import Name, names_of_line
from ingest.series.weeks import Weeks, is_week
from ingest.token_bucket import TokenBucket

_RECENTLY_SECONDS = 60.0
_MAX_SHOWN_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class SeriesLimits:
    """How many series may be known in all, how many new ones a minute, and of how many weeks; 0 is no limit."""

    max_series: int = 0
    max_new_a_minute: int = 0
    max_weeks: int = 0


class Registry:
    """Knows a series by the 8 bytes of its ``id``, about 90 bytes of memory each; any thread may use it.

    A field of another measurement counts as a series does. ``weeks`` are those of which points are kept.

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
        ids = set(known)
        weeks = set(filter(is_week, ids))
        self.weeks = Weeks(limits.max_weeks, weeks, clock_seconds)
        self._known = Known(ids - weeks)
        self._rate = TokenBucket(limits.max_new_a_minute / 60, limits.max_new_a_minute, clock_seconds)
        self._learning = learning
        self._clock_seconds = clock_seconds
        self._lock = Lock()
        # Most events are of known series.
        self._nothing = nullcontext()
        self._refused: tuple[Reject, float] | None = None
        self._on_disk: Callable[[Sequence[int]], None] = lambda _: None
        self._tell = Seldom(structlog.get_logger("series").warning)

    def admit(self, name: Name) -> Standing | Reject:
        """Whether points of the series ``name`` may be kept, or why not."""
        series = id_of(name)
        with self._lock:
            standing = self._known.standing(series)
            if standing:
                return standing
            now = self._clock_seconds()
            self._known.forget_unsaved(now)
            refusal = self._refusal()
            return self._told(refusal, str(name)) if refusal else self._known.take(series, now)

    def not_known(self, names: Iterable[Name]) -> list[Name]:
        """Those of ``names`` of which no points are on disk yet, in their order."""
        known = self._known.ids
        return [name for name in names if id_of(name) not in known]

    def admit_time(self, time_ms: int, now_ms: int) -> Standing | Reject:
        """Whether points of this time may be kept: not if it is of one week too many."""
        standing = self.weeks.admit(time_ms, now_ms)
        return self._told(standing, str(time_ms)) if isinstance(standing, Reject) else standing

    def unsaved(self, events: Events, lines: Sequence[bytes]) -> Sequence[int]:
        """The ids of those series and weeks of ``events`` and ``lines`` that have to get on disk with them."""
        weeks = self.weeks.unsaved(events, lines)
        if not self._known.unsaved:
            return weeks
        names: set[Name] = set(events.tags)
        for line in lines:
            names.update(names_of_line(line))
        ids = map(id_of, names)
        with self._lock:
            return weeks + [series for series in ids if series in self._known.unsaved]

    def saving(self, unsaved: Sequence[int]) -> AbstractContextManager[None]:
        """While the first points of these series are made durable: unless that is refused, they are known then."""
        return self._saving(unsaved) if unsaved else self._nothing

    @contextmanager
    def _saving(self, unsaved: Sequence[int]) -> Iterator[None]:
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
        """Series and weeks of earlier, or of others; after ``all_of_them`` new ones are counted by the minute."""
        self._know(list(ids))
        with self._lock:
            self._learning = self._learning and not all_of_them

    def tell(self, listener: Callable[[Sequence[int]], None]) -> None:
        """Call ``listener`` with the ids of what gets on disk from now on."""
        self._on_disk = listener

    def ids(self) -> list[int]:
        """What is known to be on disk, series and weeks."""
        with self._lock:
            return [*self._known.ids, *self.weeks.ids()]

    def gauges(self) -> dict[str, float]:
        return {"series": len(self._known), "weeks": len(self.weeks)}

    def warnings(self) -> list[str]:
        """That new series, or weeks, are being refused, while they are."""
        if self._refused is None or self._clock_seconds() - self._refused[1] > _RECENTLY_SECONDS:
            return []
        return [f"what is new is refused: {self._refused[0].reason}"]

    def _saved(self, ids: Sequence[int]) -> None:
        self._know(ids)
        self._on_disk(ids)

    def _know(self, ids: Sequence[int]) -> None:
        weeks = list(filter(is_week, ids))
        if weeks:
            self.weeks.save(weeks)
        with self._lock:
            self._known.save(id_ for id_ in ids if not is_week(id_))

    def _told(self, refusal: Reject, example: str) -> Reject:
        self._refused = (refusal, self._clock_seconds())
        self._tell("series_refused", code=refusal.code, reason=refusal.reason, example=example[:_MAX_SHOWN_CHARACTERS])
        return refusal

    def _refusal(self) -> Reject | None:
        limits = self._limits
        if limits.max_series and len(self._known) >= limits.max_series:
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


def id_of(name: Name) -> int:
    """What stands for a series where its name would take too much room: 64 bits, as SQLite keeps an integer."""
    text = name if isinstance(name, bytes) else name.encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), signed=True)
