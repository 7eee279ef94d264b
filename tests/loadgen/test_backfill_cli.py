"""The command that completes a backfill makes the very same events."""

import shlex

from hypothesis import example, given
from hypothesis import strategies as st

from loadgen.backfill_cli import again
from loadgen.backfill_options import plan_of
from loadgen.cli import parser
from loadgen.sensors import PROFILES

LAST_MS = 253_402_300_799_999  # the calendar's end


@given(
    days=st.floats(0.001, 3660).map(repr),
    interval=st.decimals("0.001", 10**9, places=9).map(lambda number: f"{number:f}"),
    unit=st.sampled_from(["s", "m", "h"]),
    until=st.integers(0, LAST_MS),
    sensors=st.integers(1, 10**6),
    profile=st.sampled_from(tuple(PROFILES)),
    seed=st.integers(-(10**20), 10**20),
)
@example(days="1234.5678", interval="7.123456789", unit="s", until=1_795_507_200_123, sensors=3, profile="city", seed=1)
@example(days="0.1", interval="288", unit="h", until=1_795_507_200_000, sensors=3, profile="city", seed=-1)
def test_the_command_that_completes_a_backfill_reads_back_as_the_same_plan(
    *, days: str, interval: str, unit: str, until: int, sensors: int, profile: str, seed: int
) -> None:
    typed = ["--days", days, "--interval", interval + unit, "--until", str(until), "--sensors", str(sensors)]
    typed += ["--profile", profile, "--seed", str(seed), "--url", "http://127.0.0.1:5001"]
    options = parser().parse_args(["backfill", *typed])
    plan = plan_of(options)
    printed = again(options, plan)
    name, *arguments = shlex.split(printed)
    assert name == "loadgen"
    assert plan_of(parser().parse_args(arguments)) == plan, printed
