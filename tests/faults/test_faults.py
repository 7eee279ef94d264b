"""The short form of ``make faults``: every fault strikes once, in random order, under the oracle's eyes."""

import time
from random import Random

import pytest

from tests.faults.faults import FAULTS
from tests.faults.faults.fault import EMBEDDED, INFLUX, Fault
from tests.faults.run import Influx, run


def groups() -> list[tuple[str, list[Fault]]]:
    """Faults that can strike one service, one after the other: those with the same store and the same settings."""
    found: dict[str, list[Fault]] = {}
    for store in (EMBEDDED, INFLUX):
        for fault in FAULTS:
            if store in fault.stores:
                settings = " ".join([*fault.options, *sorted(fault.variables)])
                found.setdefault(f"{store} {settings}".strip(), []).append(fault)
    return list(found.items())


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("place", "faults"), groups(), ids=[place for place, _ in groups()])
async def test_nothing_acked_is_lost_and_nothing_else_gets_in(
    place: str, faults: list[Fault], mortal_influx: Influx
) -> None:
    seed = Random(time.time_ns()).randrange(10**6)
    outcome = await run(faults, place.partition(" ")[0], mortal_influx, seed)
    assert outcome.verdict.is_good, f"seed {seed}\n{outcome.verdict.text()}"
    assert outcome.strikes == len(faults)
    assert outcome.stored + outcome.dead >= outcome.acked > 0
