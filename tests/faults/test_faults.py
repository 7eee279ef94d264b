"""The short form of ``make faults``: every fault strikes once, in random order, under the oracle's eyes."""

import time

import pytest

from tests.faults import plans
from tests.faults.plans import Plan
from tests.faults.run import Influx, run


@pytest.mark.timeout(400)
@pytest.mark.parametrize("plan", plans.mixed(), ids=lambda plan: f"{plan.store} {plan.name}")
async def test_nothing_acked_is_lost_and_nothing_else_gets_in(plan: Plan, mortal_influx: Influx) -> None:
    seed = time.time_ns() % 10**6
    outcome = await run(plan, mortal_influx, seed)
    again = f"python -m tests.faults --mixed --store {plan.store} --seed {seed}"
    assert outcome.verdict.is_good, f"{again}\n{outcome.verdict.text()}"
    assert outcome.strikes == len(plan.faults)
    assert outcome.stored + outcome.dead >= outcome.acked > 0
