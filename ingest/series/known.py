"""What is known because points of it are on disk, and what is on its way there."""

from collections.abc import Iterable
from enum import Enum

# Nothing is on its way to the disk for longer; what has not arrived by then never will.
_UNSAVED_SECONDS = 60.0


class Standing(Enum):
    """What a series, or a week, is whose points may be kept."""

    KNOWN = "known"
    NEW = "new"
    """Some of its points are on their way to the disk, none is there yet: ask again next time."""


class Known:
    """The ids of what is known; one that never got to disk is forgotten again. One thread at a time may use it."""

    def __init__(self, ids: Iterable[int]) -> None:
        self.ids = set(ids)
        self.unsaved: dict[int, float] = {}

    def __len__(self) -> int:
        return len(self.ids) + len(self.unsaved)

    def standing(self, id_: int) -> Standing | None:
        """None of what nobody has seen."""
        if id_ in self.ids:
            return Standing.KNOWN
        return Standing.NEW if id_ in self.unsaved else None

    def take(self, id_: int, now_seconds: float) -> Standing:
        self.unsaved[id_] = now_seconds
        return Standing.NEW

    def save(self, ids: Iterable[int]) -> None:
        for id_ in ids:
            self.ids.add(id_)
            self.unsaved.pop(id_, None)

    def forget_unsaved(self, now_seconds: float) -> None:
        while self.unsaved:
            id_, taken_at = next(iter(self.unsaved.items()))
            if now_seconds - taken_at <= _UNSAVED_SECONDS:
                break
            del self.unsaved[id_]
