"""The oracle: acked ⊆ stored, stored ⊆ sent, nothing twice, values identical, every reject and death accounted for."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from tests.faults.history import History
from tests.faults.readings import Key, Reading
from tests.faults.scan import Death, Minute, Row

_EXAMPLES = 5

Counted = TypeVar("Counted")


class Verdict(msgspec.Struct):
    """What is amiss, by kind; every list holds a sentence for each event. All of them are empty if all is well."""

    lost: list[str] = []
    """Acked, but not stored."""
    duplicated: list[str] = []
    """Stored more than once."""
    altered: list[str] = []
    """Stored as something else than was sent."""
    foreign: list[str] = []
    """Stored, but never sent, or sent as something that must be refused."""
    miscounted: list[str] = []
    """The counts say another number than the full scan."""
    strange: list[str] = []
    """Anything else: an answer, a line of the log, a dead letter that must not be."""

    @property
    def is_good(self) -> bool:
        return not any(self.by_kind().values())

    def by_kind(self) -> dict[str, list[str]]:
        return {name: getattr(self, name) for name in self.__struct_fields__}

    def add(self, other: "Verdict") -> None:
        for name, found in other.by_kind().items():
            getattr(self, name).extend(found)

    def text(self) -> str:
        """A paragraph for each kind, with the first few examples."""
        return "\n".join(
            f"{name}: {len(found)}\n" + "\n".join(f"  {sentence}" for sentence in found[:_EXAMPLES])
            for name, found in self.by_kind().items()
            if found
        )


def judge(history: History, rows: Iterable[Row], dead: Sequence[Death], may_die: bytes | None = None) -> Verdict:
    """Compare what was sent and answered with what is stored.

    Only lines that hold ``may_die`` may be dead letters, where it is given.
    """
    verdict = Verdict(strange=list(history.strange))
    stored: defaultdict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        stored[row.timestamp_ms, row.tag].append(row)
    died = _died(dead, may_die, verdict)
    for key, found in stored.items():
        reading = history.sent.get(key)
        if reading is None:
            verdict.foreign.append(f"stored, but never sent: {found}")
            continue
        if len(found) > 1:
            verdict.duplicated.append(f"{reading} is stored as {found}")
        if any(not _same(reading, row) for row in found):
            verdict.altered.append(f"{reading} is stored as {found}")
    for key in history.acked - stored.keys():
        if key not in died:
            verdict.lost.append(f"acked, but not stored: {history.sent[key]}")
    return verdict


def miscounted(rows: Sequence[Row], minutes: Mapping[Minute, int], said: Mapping[str, int]) -> list[str]:
    """A sentence for each minute and each tag of which the counts say another number than the full scan.

    ``minutes`` is what is kept of minutes, ``said`` what /counts says of tags.
    """
    scanned_minutes = Counter((row.timestamp_ms - row.timestamp_ms % 60_000, row.tag) for row in rows)
    scanned = Counter(row.tag for row in rows)
    return [*_differences(minutes, scanned_minutes), *_differences(said, scanned)]


def _differences(said: Mapping[Counted, int], scanned: Mapping[Counted, int]) -> Iterator[str]:
    for what in said.keys() | scanned.keys():
        if said.get(what, 0) != scanned.get(what, 0):
            yield f"{what}: counted {said.get(what, 0)}, by a full scan {scanned.get(what, 0)}"


def _died(dead: Sequence[Death], may_die: bytes | None, verdict: Verdict) -> set[Key]:
    died: set[Key] = set()
    for death in dead:
        if may_die is None or may_die not in death.line:
            verdict.strange.append(f"a dead letter: {death}")
            continue
        died.add(_key(death.line))
    return died


def _key(line: bytes) -> Key:
    """The key of a line as ingest writes events: no tag holds a blank, and the time stands behind the last one."""
    series, _, rest = line.decode().partition(" ")
    segments = dict(pair.split("=") for pair in series.split(",")[1:])
    time_ns = int(rest.rstrip("\n").rpartition(" ")[2])
    return time_ns // 1_000_000, f"{segments['country']}.{segments['region']}.{segments['sensor']}"


def _same(reading: Reading, row: Row) -> bool:
    if row.status is None:
        # The embedded store keeps the text of every valor.
        return str(row.stored) == reading.stored if isinstance(reading.stored, str) else _is(row.stored, reading.stored)
    return (type(row.stored), row.stored, row.status) == (type(reading.stored), reading.stored, reading.status)


def _is(text: float | str, number: float) -> bool:
    try:
        return float(text) == number
    except ValueError:
        return False
