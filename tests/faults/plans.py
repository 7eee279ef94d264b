"""Which faults strike one service together: each alone, or all that go together, mixed."""

import msgspec

from tests.faults.faults import FAULTS
from tests.faults.faults.fault import EMBEDDED, INFLUX, Fault

# Before the oracle looks: it reads everything, which takes its time.
_STRIKES_ALONE = 5


class Plan(msgspec.Struct, frozen=True):
    """One run: ``faults`` strike a service with ``store``, in random order, each ``strikes_each`` times."""

    name: str
    store: str
    faults: list[Fault]
    strikes_each: int


def alone() -> list[Plan]:
    """A run for each fault and store."""
    return [Plan(fault.name, store, [fault], _STRIKES_ALONE) for fault in FAULTS for store in fault.stores]


def mixed() -> list[Plan]:
    """A run for all faults of the same store that need the same settings: the short form."""
    groups: dict[tuple[str, str], list[Fault]] = {}
    for store in (EMBEDDED, INFLUX):
        for fault in FAULTS:
            if store in fault.stores:
                settings = " ".join(("mixed", *fault.options, *sorted(fault.variables)))
                groups.setdefault((settings, store), []).append(fault)
    return [Plan(name, store, faults, 1) for (name, store), faults in groups.items()]
