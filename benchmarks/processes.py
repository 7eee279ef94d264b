"""What processes have used, those that they started included."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Tree:
    """A program, in one process or in several; None is a program that is not looked at."""

    root: psutil.Process | None

    def cpu_seconds(self) -> float:
        return sum(float(sum(each.cpu_times()[:2])) for each in self._all())

    def peak_mb(self) -> float:
        """The most memory that each has held so far, as the kernel counts it, added up."""
        statuses = (Path(f"/proc/{each.pid}/status").read_text() for each in self._all())
        return sum(int(status.partition("VmHWM:")[2].split()[0]) for status in statuses) / 1024

    def resident_mb(self) -> float:
        """The memory that they hold now."""
        return sum(float(each.memory_info().rss) for each in self._all()) / 2**20

    def _all(self) -> Sequence[psutil.Process]:
        return [] if self.root is None else [self.root, *self.root.children(recursive=True)]
