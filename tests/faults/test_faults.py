"""The short form of ``make faults``: every fault, with the oracle's verdict."""

import time
from random import Random

import pytest

from tests.faults.faults import FAULTS
from tests.faults.faults.fault import Fault
from tests.faults.run import Influx, run


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("fault", "store"),
    [pytest.param(fault, store, id=f"{fault.name}-{store}") for fault in FAULTS for store in fault.stores],
)
async def test_nothing_acked_is_lost_and_nothing_else_gets_in(fault: Fault, store: str, mortal_influx: Influx) -> None:
    seed = Random(time.time_ns()).randrange(10**6)
    outcome = await run([fault], store, mortal_influx, seed)
    again = f"python -m tests.faults --fault {fault.name} --store {store} --seed {seed}"
    assert outcome.verdict.is_good, f"{again}\n{outcome.verdict.text()}"
    assert outcome.stored >= outcome.acked > 0
