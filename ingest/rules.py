"""What every event has to keep to be accepted, whichever format it came in."""

from collections.abc import Callable
from dataclasses import dataclass

from ingest.bounded import BoundedSet
from ingest.event import MAX_TIMESTAMP_MS, Event
from ingest.events import Events
from ingest.reject import Reject
from ingest.series.known import Standing
from ingest.series.names import Name
from ingest.series.registry import Registry
from ingest.series.weeks import week_of
from ingest.tag import MAX_CACHED_TAG_CHARACTERS, MAX_CACHED_TAGS, are_plain, parse_tag


@dataclass(frozen=True, slots=True)
class Limits:
    """What the rules leave to the operator. ``retention_ms`` 0 means that the store keeps for ever."""

    min_timestamp_ms: int
    max_future_ms: int
    retention_ms: int
    max_valor_bytes: int


class Rules:
    """Checks events against the rules; ``clock_ms`` gives the current Unix time in milliseconds.

    ``series`` decides on events of sensors that nobody has seen; the others it costs nothing.
    """

    def __init__(self, limits: Limits, clock_ms: Callable[[], int], series: Registry) -> None:
        self._limits = limits
        self._clock_ms = clock_ms
        self._series = series
        # Whoever comes next is most often of a week that is known, as the last one was.
        self._known_span = series.weeks.around(clock_ms())
        # Tags of known sensors; bounded, like everything that a flood of names would fill.
        self._known_tags: BoundedSet[str] = BoundedSet(MAX_CACHED_TAGS)

    def check(self, event: Event) -> Event | Reject:
        """The event as it will be stored (a blank ``valor`` becomes ""), or why it is refused."""
        return self._refusal(event) or _normal(event)

    def keeps_all(self, events: Events) -> bool:
        """Whether all of them will be stored as they are; if not, any of them may need a closer look."""
        if not events:
            return True
        first, last = events.span_ms()
        oldest, newest = self._window_ms()
        if first < oldest or last > newest or not self._are_plain(events.valores):
            return False
        start, stop = self._known_span
        if start <= first and last <= stop and self._known_tags.issuperset(events.tags):
            return True
        # Who comes first is let in first.
        new_tags = [tag for tag in dict.fromkeys(events.tags) if tag not in self._known_tags]
        # As one by one: what is refused for another reason takes no place from a week, or a sensor.
        return not (
            (not are_plain(new_tags) and any(map(_tag_refusal, new_tags)))
            or self._are_of_refused_weeks(events.timestamps_ms, first, last)
            or self._are_of_refused_sensors(new_tags)
        )

    def knows(self, tag: str) -> bool:
        """Whether it is of a sensor that has been asked for and is known, and not of one that may be refused."""
        return tag in self._known_tags

    def admit(self, series: Name) -> Standing | Reject:
        """Whether points of another measurement's series, or of a field of one, may be kept."""
        return self._series.admit(series)

    def time_refusal(self, time_ms: int) -> Reject | None:
        """Why no point of this time is kept, whatever it is of: it is outside the window, or of one week too many."""
        start, stop = self._known_span
        return self._timestamp_refusal(time_ms) or (None if start <= time_ms <= stop else self._week_refusal(time_ms))

    def _refusal(self, event: Event) -> Reject | None:
        tag, time_ms = event.tag, event.timestamp_ms
        is_known = tag in self._known_tags
        start, stop = self._known_span
        return (
            (None if is_known else _tag_refusal(tag))
            or self._timestamp_refusal(time_ms)
            or self._valor_refusal(event.valor)
            or (None if start <= time_ms <= stop else self._week_refusal(time_ms))
            # Last: what is refused for another reason takes no place from a sensor.
            or (None if is_known else self._sensor_refusal(tag))
        )

    def _are_plain(self, valores: list[str]) -> bool:
        """Whether none is blank, and none so long that its bytes would have to be counted."""
        if any(map(str.isspace, valores)):
            return False
        longest = self._limits.max_valor_bytes // 4
        return len("".join(valores)) <= longest or max(map(len, valores)) <= longest

    def _are_of_refused_weeks(self, timestamps_ms: list[int], first: int, last: int) -> bool:
        start, stop = self._known_span = self._series.weeks.around(first)
        if start <= first and last <= stop:
            return False
        one_of_each = {week_of(time_ms): time_ms for time_ms in timestamps_ms}
        return any(map(self._week_refusal, one_of_each.values()))

    def _are_of_refused_sensors(self, tags: list[str]) -> bool:
        strangers = self._series.not_known(tags)
        if any(isinstance(self._series.admit(tag), Reject) for tag in strangers):
            return True
        known = set(tags).difference(strangers) if strangers else tags
        self._known_tags.remember([tag for tag in known if len(tag) <= MAX_CACHED_TAG_CHARACTERS])
        return False

    def _week_refusal(self, time_ms: int) -> Reject | None:
        standing = self._series.admit_time(time_ms, self._clock_ms())
        self._known_span = self._series.weeks.around(time_ms)
        return standing if isinstance(standing, Reject) else None

    def _sensor_refusal(self, tag: str) -> Reject | None:
        standing = self._series.admit(tag)
        if isinstance(standing, Reject):
            return standing
        if standing is Standing.KNOWN and len(tag) <= MAX_CACHED_TAG_CHARACTERS:
            self._known_tags.remember((tag,))
        return None

    def _window_ms(self) -> tuple[int, int]:
        now_ms, limits = self._clock_ms(), self._limits
        oldest, newest = limits.min_timestamp_ms, now_ms + limits.max_future_ms
        if limits.retention_ms:
            oldest = max(oldest, now_ms - limits.retention_ms)
        return oldest, newest if newest < MAX_TIMESTAMP_MS else MAX_TIMESTAMP_MS

    def _timestamp_refusal(self, timestamp_ms: int) -> Reject | None:
        oldest, newest = self._window_ms()
        if oldest <= timestamp_ms <= newest:
            return None
        if timestamp_ms > newest:
            return Reject(
                "timestamp_future", f"timestamp {_shown(timestamp_ms)} is in the future" + self._hint(timestamp_ms)
            )
        if timestamp_ms < self._limits.min_timestamp_ms:
            return Reject(
                "timestamp_too_old", f"timestamp {_shown(timestamp_ms)} is too old" + self._hint(timestamp_ms)
            )
        return Reject("timestamp_retention", f"timestamp {timestamp_ms} is older than what the store keeps")

    def _hint(self, timestamp: int) -> str:
        oldest, newest = self._window_ms()
        for unit, in_ms in (
            ("seconds", timestamp * 1000),
            ("microseconds", timestamp // 1000),
            ("nanoseconds", timestamp // 10**6),
        ):
            if oldest <= in_ms <= newest:
                return f": it looks like {unit}, but must be in milliseconds"
        return ": it must be Unix time in milliseconds"

    def _valor_refusal(self, valor: str) -> Reject | None:
        limit = self._limits.max_valor_bytes
        if len(valor) > limit or len(valor.encode()) > limit:
            return Reject("valor_too_long", f"valor is over {limit} bytes of UTF-8")
        return None


def _tag_refusal(text: str) -> Reject | None:
    tag = parse_tag(text)
    return tag if isinstance(tag, Reject) else None


def _normal(event: Event) -> Event:
    return Event(event.timestamp_ms, event.tag, "") if event.valor.isspace() else event


def _shown(timestamp: int) -> str:
    return str(timestamp) if timestamp.bit_length() < 128 else "of many digits"
