"""The table as it grows: rows on stdout, and on a terminal what is under way below them."""

import dataclasses
import sys
from collections.abc import Mapping
from typing import Final

from benchmarks.bench import Row

_MET: Final = {True: "met", False: "missed", None: ""}
_CLEARED: Final = "\r\x1b[K"


class Table:
    """Prints its head at once; ``rows`` are those that were added, as JSON wants them."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self.rows: list[Mapping[str, object]] = []
        print("| what | measured | goal | |\n|---|---|---|---|", flush=True)

    def add(self, measurement: str, row: Row) -> None:
        self.rows.append({"measurement": measurement, **dataclasses.asdict(row)})
        self.progress("")
        print(f"| {row.what} | {row.measured} | {row.goal} | {_MET[row.met]} |", flush=True)

    def progress(self, text: str) -> None:
        if self._terminal:
            print(f"{_CLEARED}{f'… {text}' if text else ''}", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        self.progress("")
