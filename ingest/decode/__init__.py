"""From a request's body to events: one module a format, each with a reason for every item it refuses."""

import msgspec

from ingest.event import Event
from ingest.reject import RejectedItem


class Decoded(msgspec.Struct, frozen=True):
    """What a body held: ``events`` that keep the rules, ready ``lines`` of other measurements, and what was refused.

    Each of ``lines`` ends with a newline and carries its time in nanoseconds.
    """

    events: list[Event]
    lines: list[bytes]
    rejected: list[RejectedItem]

    @property
    def accepted(self) -> int:
        return len(self.events) + len(self.lines)

    @property
    def received(self) -> int:
        return self.accepted + len(self.rejected)
