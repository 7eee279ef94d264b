"""Comparing what a run sent with what the store holds."""

import re
from dataclasses import dataclass, field

from loadgen.readback import Row
from loadgen.sensors import Event
from loadgen.windows import Fate, Window

EXAMPLES = 10
NUMERIC = re.compile(r"-?\d+(\.\d+)?([eE][-+]?\d+)?", re.ASCII)


@dataclass
class Named:
    """How many there are, and the first few by name."""

    count: int = 0
    examples: list[str] = field(default_factory=list)

    def note(self, name: str) -> None:
        self.count += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(name)

    def add(self, other: "Named") -> None:
        self.count += other.count
        self.examples = (self.examples + other.examples)[:EXAMPLES]


@dataclass
class Findings:
    """What a comparison found, in events.

    ``unacked`` and ``refused`` ones are the run's own, stored though their request failed or the service rejected
    them; ``foreign`` ones are not of the run. An event that the run sent again counts once; ``repeated`` is how
    many more times it was sent, ``acked_again`` how many more times it was acked.
    """

    acked: int = 0
    verified: int = 0
    unacked: int = 0
    refused: int = 0
    foreign: int = 0
    repeated: int = 0
    acked_again: int = 0
    missing: Named = field(default_factory=Named)
    twice: Named = field(default_factory=Named)
    altered: Named = field(default_factory=Named)

    @property
    def good(self) -> bool:
        return self.verified == self.acked

    def add(self, other: "Findings") -> None:
        self.acked += other.acked
        self.verified += other.verified
        self.unacked += other.unacked
        self.refused += other.refused
        self.foreign += other.foreign
        self.repeated += other.repeated
        self.acked_again += other.acked_again
        self.missing.add(other.missing)
        self.twice.add(other.twice)
        self.altered.add(other.altered)


@dataclass(slots=True)
class Place:
    """One event's time and tag, how it was sent, and what the store has there.

    Of its rows ``equal`` are right, ``misjudged`` have its valor and the wrong status, and ``others`` another valor.
    """

    event: Event
    sent: int = 0
    acked: int = 0
    refused: int = 0
    equal: int = 0
    misjudged: tuple[Row, ...] = ()
    others: tuple[Row, ...] = ()

    def note(self, fate: Fate) -> None:
        self.sent += 1
        self.acked += fate is Fate.ACKED
        self.refused += fate is Fate.REJECTED


class Comparison:
    """One window against its rows: ``see`` each row once, then ask for the findings."""

    def __init__(self, window: Window) -> None:
        self._places: dict[tuple[int, str], Place] = {}
        self._foreign = 0
        for sent in window.sent:
            event = sent.event
            self._places.setdefault((event.timestamp, event.tag), Place(event)).note(sent.fate)

    def see(self, row: Row) -> None:
        place = self._places.get((row.timestamp, row.tag))
        if place is None:
            self._foreign += 1
        elif not same_valor(place.event, row):
            place.others += (row,)
        elif row.status == status(place.event):
            place.equal += 1
        else:
            place.misjudged += (row,)

    def findings(self) -> Findings:
        findings = Findings(foreign=self._foreign)
        for place in self._places.values():
            _look_at(place, findings)
        return findings


def status(event: Event) -> str:
    """What the service is to make of it."""
    return "processado" if event.valor else "erro"


def same_valor(event: Event, row: Row) -> bool:
    """Whether the row has the event's valor; a number may be written differently, nothing else may."""
    if NUMERIC.fullmatch(event.valor) and NUMERIC.fullmatch(row.valor):
        return float(event.valor) == float(row.valor)
    return event.valor == row.valor


def _look_at(place: Place, findings: Findings) -> None:
    findings.repeated += place.sent - 1
    if place.acked:
        _look_at_acked(place, findings)
        return
    findings.foreign += len(place.others)
    stored = place.equal or place.misjudged
    if stored and place.refused == place.sent:
        findings.refused += 1
    elif stored:
        findings.unacked += 1


def _look_at_acked(place: Place, findings: Findings) -> None:
    event = place.event
    name = f"{event.timestamp} {event.tag} {event.valor!r}"
    wrong = place.misjudged or place.others
    findings.acked += 1
    findings.acked_again += place.acked - 1
    if place.equal == 0 and wrong:
        findings.altered.note(f"{name} is stored as {wrong[0].valor!r}, {wrong[0].status}")
        return
    # With the right event in its place, another value there is some other sender's.
    findings.foreign += len(place.others)
    if place.misjudged:
        times = place.equal + len(place.misjudged)
        findings.twice.note(f"{name} is stored {times} times, also as {place.misjudged[0].status}")
    elif place.equal == 1:
        findings.verified += 1
    elif place.equal:
        findings.twice.note(f"{name} is stored {place.equal} times")
    else:
        findings.missing.note(name)
