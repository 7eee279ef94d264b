"""From a request's body to events: one module a format, each with a reason for every item it refuses."""

from collections import Counter
from typing import Protocol

import msgspec

from ingest.events import Events
from ingest.reject import Reject, RejectedItem

# A body of tiny bad items must not grow into an answer many times its size.
MAX_LISTED_REJECTS = 1000
_MAX_LISTED_CHARACTERS = 300_000


class Rejects(msgspec.Struct):
    """What was refused: the first ones by name, all of them by code."""

    listed: list[RejectedItem] = []
    _of_code: dict[str, int] = {}
    _characters: int = 0

    @property
    def by_code(self) -> Counter[str]:
        return Counter(self._of_code)

    def add(self, index: int | None, reject: Reject) -> None:
        """Count an item; ``index`` is its place in the body, None for the body itself."""
        self._of_code[reject.code] = self._of_code.get(reject.code, 0) + 1
        if len(self.listed) < MAX_LISTED_REJECTS and self._characters < _MAX_LISTED_CHARACTERS:
            self._characters += len(reject.reason)
            self.listed.append(RejectedItem.at(index, reject))

    def total(self) -> int:
        return sum(self._of_code.values())


class RefusedMessage(msgspec.Struct, frozen=True):
    """A broker's message that is no event; ``line`` is the point that tells of it, ``path`` its topic as a tag."""

    reject: Reject
    path: str
    line: bytes


class Decoded(msgspec.Struct):
    """What a body held: ``events`` that keep the rules, ready ``lines`` of other measurements, and what was refused.

    Each of ``lines`` ends with a newline and carries its time in nanoseconds. The sender hears of ``rejects``; nobody
    would hear of ``refused_messages``. Decoders that were told to keep texts give one for each of ``events``: its JSON
    as it was received, in one line without the newline.
    """

    events: Events = msgspec.field(default_factory=Events.of)
    lines: list[bytes] = []
    rejects: Rejects = msgspec.field(default_factory=Rejects)
    refused_messages: list[RefusedMessage] = []
    texts: list[bytes] = []

    @property
    def accepted(self) -> int:
        return len(self.events) + len(self.lines)


class Decoder(Protocol):
    """Decodes one format in two ways that agree wherever both answer."""

    def quick(self, body: bytes) -> Decoded | None:
        """A body in which everything is plainly right, decoded at once; None if it needs a closer look."""
        ...

    def thorough(self, body: bytes) -> Decoded:
        """Any body, item by item; always says something of a body that holds nothing."""
        ...


def refused(reject: Reject) -> Decoded:
    """A body that is refused as a whole."""
    decoded = Decoded()
    decoded.rejects.add(None, reject)
    return decoded
