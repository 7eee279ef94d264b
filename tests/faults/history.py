"""What was sent, and what was answered."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from tests.faults.readings import Key, Reading

SLOWEST_ANSWER_SECONDS = 15.0
"""No answer to a write may take longer, whatever is broken."""

_GOOD = (202, 204)
_LATER = (429, 503)
"""Answers that say: nothing of it is kept, send it again."""


class History:
    """Every reading that went out and every answer that came. ``strange`` are the answers that must never come."""

    def __init__(self) -> None:
        self.sent: dict[Key, Reading] = {}
        self.acked: set[Key] = set()
        self.requests = 0
        self.answers: Counter[str] = Counter()
        self.strange: list[str] = []
        self.slowest_seconds = 0.0

    def going_out(self, readings: Sequence[Reading]) -> None:
        """Before the first byte goes out: from here on any of them may be stored."""
        self.requests += 1
        self.sent |= {reading.key: reading for reading in readings if not reading.is_bad}

    def answered(self, readings: Sequence[Reading], status: int, body: str, seconds: float) -> bool:
        """Whether the answer says that the readings are kept."""
        self.answers[str(status)] += 1
        self.slowest_seconds = max(self.slowest_seconds, seconds)
        if seconds > SLOWEST_ANSWER_SECONDS:
            self.strange.append(f"an answer ({status}) came after {seconds:.1f} s")
        if status not in _GOOD:
            if status not in _LATER:
                self.strange.append(f"the answer {status} to good readings: {body[:200]}")
            return False
        if status == 202:
            self._check_receipt(readings, body)
        self.acked |= {reading.key for reading in readings if not reading.is_bad}
        return True

    def unanswered(self, why: str, seconds: float) -> None:
        """No answer came: whether the readings are kept is open."""
        self.answers[why] += 1
        if seconds > SLOWEST_ANSWER_SECONDS:
            self.strange.append(f"no answer ({why}) within {seconds:.1f} s")

    def _check_receipt(self, readings: Sequence[Reading], body: str) -> None:
        receipt = msgspec.json.decode(body, type=_Receipt)
        expected = [index for index, reading in enumerate(readings) if reading.is_bad]
        rejected = [item.index for item in receipt.rejected]
        if rejected != expected or receipt.accepted != len(readings) - len(expected):
            self.strange.append(f"the receipt of {len(readings)} readings, of which {expected} are bad: {body[:300]}")


class _Rejected(msgspec.Struct):
    index: int


class _Receipt(msgspec.Struct):
    accepted: int
    rejected: list[_Rejected]
