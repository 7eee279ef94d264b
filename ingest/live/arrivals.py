"""The newest accepted events in the order they came, whatever their timestamps say."""

from collections import deque
from collections.abc import Sequence
from functools import cached_property

import msgspec

from ingest.events import Events
from ingest.store import StoredEvent

MOST_KEPT = 20_000
MOST_KEPT_BYTES = 32 * 2**20
# What an event takes beside its valor, about.
_EVENT_BYTES = 250


class Arrived(msgspec.Struct, frozen=True):
    """What came from a place on; ``end`` is the place to ask from next."""

    events: list[StoredEvent]
    end: int


class Arrivals:
    """Places count the events since the start. Adding costs next to nothing where nobody watches."""

    def __init__(self, most_kept: int = MOST_KEPT, most_bytes: int = MOST_KEPT_BYTES) -> None:
        self._most_kept = most_kept
        self._most_bytes = most_bytes
        self._bytes = 0
        self._groups: deque[_Group] = deque()
        self._start = 0
        self.end = 0

    def add(self, events: Events) -> None:
        """These are durable now; do not change the sequence any more."""
        group = _Group(self.end, events)
        self._groups.append(group)
        self.end = group.end
        self._bytes += group.bytes
        while self._are_too_many():
            oldest = self._groups.popleft()
            self._start = oldest.end
            self._bytes -= oldest.bytes

    def since(self, place: int) -> Arrived | None:
        """What came at ``place`` and after it; None if that is no longer kept, or has never been."""
        if not self._start <= place <= self.end:
            return None
        late: list[_Group] = []
        for group in reversed(self._groups):
            if group.end <= place:
                break
            late.append(group)
        return Arrived([event for group in reversed(late) for event in group.since(place)], self.end)

    def kept(self) -> Arrived:
        """Everything that is still here."""
        return Arrived([event for group in self._groups for event in group.stored], self.end)

    def _are_too_many(self) -> bool:
        """The last group stays, however large."""
        spare = self.end - self._groups[0].end
        return spare >= self._most_kept or (spare > 0 and self._bytes > self._most_bytes)


class _Group:
    """Events that came together, the first of them at ``start``."""

    def __init__(self, start: int, events: Events) -> None:
        self.start = start
        self.end = start + len(events)
        self.bytes = len("".join(events.valores)) + len(events) * _EVENT_BYTES
        self._events = events

    @cached_property
    def stored(self) -> list[StoredEvent]:
        """As a store will show them; found out once, however many watch."""
        return [StoredEvent.of(event) for event in self._events]

    def since(self, place: int) -> Sequence[StoredEvent]:
        return self.stored[max(0, place - self.start) :]
