"""Every fault. A new one is a module beside this one and a line in the list."""

from tests.faults.faults import (
    backlog,
    clock,
    disk,
    influx_answers,
    influx_process,
    influx_refusals,
    kill,
    retention,
    sigterm,
    spool_full,
    workers,
)
from tests.faults.faults.fault import Fault

FAULTS: tuple[Fault, ...] = (
    *kill.FAULTS,
    *disk.FAULTS,
    *sigterm.FAULTS,
    *influx_process.FAULTS,
    *influx_answers.FAULTS,
    *influx_refusals.FAULTS,
    *retention.FAULTS,
    *backlog.FAULTS,
    *spool_full.FAULTS,
    *clock.FAULTS,
    *workers.FAULTS,
)
