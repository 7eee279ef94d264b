"""What can't be sent or was refused: counted, the first few by name. Nothing of it stops a replay."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from loadgen.replay.files import STDIN

NAMED: Final = 10
DISTINCT_REASONS: Final = 20
OTHER_REASONS: Final = "other reasons"


class Problems:
    """Noted as they are met, told at the end."""

    def __init__(self) -> None:
        self.bad = self.torn = self.broken = self.rejected = 0
        self._reasons: Counter[str] = Counter()
        self._named: list[str] = []

    def bad_line(self, file: Path, line: int, reason: str) -> None:
        """A line that is no event."""
        self.bad += 1
        self._name(f"{_shown(file)}:{line}: bad: {reason}")

    def torn_line(self, file: Path, line: int) -> None:
        """A last line without its end: the file is still being written, or its writer was killed."""
        self.torn += 1
        self._name(f"{_shown(file)}:{line}: passed over, for it has no end (yet)")

    def broken_file(self, file: Path, reason: str) -> None:
        self.broken += 1
        self._name(f"{_shown(file)}: {reason}")

    def rejected_line(self, file: Path, line: int, reason: str) -> None:
        """A line that the service refused."""
        self.rejected += 1
        # A reason may quote its event: without a bound, a long replay would collect millions of them.
        known = reason in self._reasons or len(self._reasons) < DISTINCT_REASONS
        self._reasons[reason if known else OTHER_REASONS] += 1
        self._name(f"{_shown(file)}:{line}: rejected: {reason}")

    @property
    def any(self) -> bool:
        """Torn lines are none."""
        return bool(self.bad or self.broken or self.rejected)

    def reasons(self) -> Iterator[str]:
        return (f"{lines:,} × {reason}" for reason, lines in self._reasons.most_common())

    def named(self) -> Iterator[str]:
        yield from self._named
        more = self.bad + self.torn + self.broken + self.rejected - len(self._named)
        if more:
            yield f"… and {more:,} more"

    def _name(self, name: str) -> None:
        if len(self._named) < NAMED:
            self._named.append(name)


def _shown(file: Path) -> str:
    return "standard input" if file == STDIN else str(file)
