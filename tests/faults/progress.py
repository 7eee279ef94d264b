"""What is told while faults strike: one changing line on a terminal, a line a run everywhere else."""

import time

from rich.console import Console
from rich.status import Status

from tests.faults.plans import Plan
from tests.faults.run import Outcome
from tests.faults.table import Tally


class Progress:
    """Writes to stderr, so that stdout has the table alone."""

    def __init__(self, tally: Tally) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._status: Status | None = self._console.status("") if self._console.is_terminal else None
        self._tally = tally
        self._started = time.monotonic()
        self._run = ""

    def __enter__(self) -> "Progress":
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()

    def begins(self, plan: Plan, seed: int) -> None:
        self._run = f"{plan.name} on {plan.store}, seed {seed}"

    def tells(self, what: str) -> None:
        """What is going on in the run."""
        if self._status is not None:
            outcomes = self._tally.outcomes.values()
            strikes, acked = (sum(getattr(one, name) for one in outcomes) for name in ("strikes", "acked"))
            bad = sum(not one.verdict.is_good for one in outcomes)
            so_far = f"{strikes:,} strikes, {acked:,} events acked, {bad} with findings"
            self._status.update(f"{time.monotonic() - self._started:.0f} s: {so_far}; now {self._run}: {what}")

    def ends(self, outcome: Outcome) -> None:
        numbers = f"{outcome.strikes} strikes, {outcome.acked:,} acked, {outcome.stored:,} stored"
        self._say(f"{self._run}: {numbers}, {'good' if outcome.verdict.is_good else 'NOT GOOD'}")
        if not outcome.verdict.is_good:
            self._say(outcome.verdict.text())

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)
