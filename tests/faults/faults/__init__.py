"""Every fault. A new one is a module beside this one and a line in the list."""

from tests.faults.faults import backlog, clock, kill, retention, spool_full
from tests.faults.faults.fault import Fault

FAULTS: tuple[Fault, ...] = (*kill.FAULTS, *clock.FAULTS, *retention.FAULTS, *backlog.FAULTS, *spool_full.FAULTS)
