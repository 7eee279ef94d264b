"""The table of a session: a line for each fault and store."""

from collections.abc import Mapping

from rich.table import Table

from tests.faults.run import Outcome

Place = tuple[str, str]
"""A fault's name and the store."""

_COLUMNS = ("runs", "sent", "acked", "stored", "lost", "duplicated", "altered", "else", "recovery s")
_ELSE = ("foreign", "miscounted", "strange")


class Tally:
    """Outcomes added up."""

    def __init__(self) -> None:
        self.outcomes: dict[Place, Outcome] = {}

    def add(self, place: Place, new: Outcome) -> None:
        total = self.outcomes.setdefault(place, Outcome())
        for name in ("strikes", "sent", "acked", "stored"):
            setattr(total, name, getattr(total, name) + getattr(new, name))
        total.recovery_seconds = max(total.recovery_seconds, new.recovery_seconds)
        total.verdict.add(new.verdict)

    @property
    def is_good(self) -> bool:
        return all(outcome.verdict.is_good for outcome in self.outcomes.values())


def table(outcomes: Mapping[Place, Outcome]) -> Table:
    shown = Table("fault", "store")
    for column in _COLUMNS:
        shown.add_column(column, justify="right")
    for (fault, store), outcome in outcomes.items():
        shown.add_row(fault, store, *_cells(outcome))
    return shown


def _cells(outcome: Outcome) -> list[str]:
    found = {name: len(sentences) for name, sentences in outcome.verdict.by_kind().items()}
    numbers = [outcome.strikes, outcome.sent, outcome.acked, outcome.stored]
    numbers += [found["lost"], found["duplicated"], found["altered"], sum(found[name] for name in _ELSE)]
    return [*(f"{number:,}" for number in numbers), f"{outcome.recovery_seconds:.1f}"]
