"""How many events a body may hold, and how long each of their texts may be."""

from dataclasses import dataclass

from ingest.errors import TooManyEvents
from ingest.reject import Reject

# Blank lines are passed over, but not for ever.
_LINES_AN_EVENT = 10


@dataclass(frozen=True, slots=True)
class ItemLimits:
    """A body of more events is refused whole, before all of them are decoded."""

    max_events: int = 100_000
    max_line_bytes: int = 2**20

    def check_events(self, number: int) -> None:
        """Raises TooManyEvents."""
        if number > self.max_events:
            raise TooManyEvents(self.max_events)

    def check_lines(self, number: int) -> None:
        """Of a body with blank lines. Raises TooManyEvents."""
        self.check_events(number // _LINES_AN_EVENT)

    def too_long(self) -> Reject:
        """Why an event or a line of more than ``max_line_bytes`` is refused."""
        return Reject("line_too_long", f"it is over {self.max_line_bytes} bytes")


def is_dense(body: bytes, mark: bytes, most: int) -> bool:
    """Whether ``mark`` stands in every stretch of ``most`` bytes."""
    position = 0
    while len(body) - position > most:
        found = body.rfind(mark, position, position + most)
        if found < position:
            return False
        position = found + 1
    return True
