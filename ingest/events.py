"""Events as columns: what is done to each of a body's events is done to a whole column at a time."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, compress
from operator import eq
from typing import Self, overload

from ingest.event import Event


class Events(Sequence[Event]):
    """``timestamps_ms[i]``, ``tags[i]`` and ``valores[i]`` are one event; an Event is made when somebody looks at it.

    Columns are not copied: who hands them over does not change them any more.
    """

    __slots__ = ("tags", "timestamps_ms", "valores")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, timestamps_ms: list[int], tags: list[str], valores: list[str]) -> None:
        self.timestamps_ms = timestamps_ms
        self.tags = tags
        self.valores = valores

    @classmethod
    def of(cls, events: Iterable[Event] = ()) -> Self:
        """The same events in the same order."""
        listed = list(events)
        return cls(
            [event.timestamp_ms for event in listed],
            [event.tag for event in listed],
            [event.valor for event in listed],
        )

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """All the events of ``parts``, one after the other."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            list(chain.from_iterable(part.timestamps_ms for part in parts)),
            list(chain.from_iterable(part.tags for part in parts)),
            list(chain.from_iterable(part.valores for part in parts)),
        )

    @classmethod
    def one(cls, event: Event) -> Self:
        return cls([event.timestamp_ms], [event.tag], [event.valor])

    def span_ms(self) -> tuple[int, int]:
        """The first and the last timestamp; there has to be one."""
        timestamps_ms = self.timestamps_ms
        if len(timestamps_ms) == 1:
            return timestamps_ms[0], timestamps_ms[0]
        return min(timestamps_ms), max(timestamps_ms)

    def append(self, event: Event) -> None:
        """Only for whoever has made these, and while nobody else has them."""
        self.timestamps_ms.append(event.timestamp_ms)
        self.tags.append(event.tag)
        self.valores.append(event.valor)

    def chosen(self, are_chosen: Sequence[object]) -> Self:
        """Those in whose place something stands that is true."""
        return type(self)(
            list(compress(self.timestamps_ms, are_chosen)),
            list(compress(self.tags, are_chosen)),
            list(compress(self.valores, are_chosen)),
        )

    def __len__(self) -> int:
        return len(self.timestamps_ms)

    @overload
    def __getitem__(self, place: int) -> Event: ...
    @overload
    def __getitem__(self, place: slice) -> Self: ...
    def __getitem__(self, place: int | slice) -> Event | Self:
        if isinstance(place, slice):
            return type(self)(self.timestamps_ms[place], self.tags[place], self.valores[place])
        return Event(self.timestamps_ms[place], self.tags[place], self.valores[place])

    def __iter__(self) -> Iterator[Event]:
        return map(Event, self.timestamps_ms, self.tags, self.valores)

    def __eq__(self, other: object) -> bool:
        """Equal to any sequence of the same events."""
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(eq, self, other))

    def __repr__(self) -> str:
        return f"Events.of({list(self)!r})"
