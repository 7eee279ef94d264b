"""What a run and its processes say to each other: a share of the run there, lines of JSON back."""

import msgspec

from loadgen.access import Access
from loadgen.plan import Plan
from loadgen.results import Second, Summary


class Share(msgspec.Struct, frozen=True):
    """What to send, and when to start on the clock of time.monotonic_ns(), which all processes of a machine share."""

    plan: Plan
    start_ns: int
    access: Access


class Ready(msgspec.Struct, frozen=True, tag="ready", tag_field="line"):
    """A process waits for its share."""


class Part(msgspec.Struct, frozen=True, tag="part", tag_field="line"):
    """One process's second: its own numbers, its latencies encoded, and its run so far."""

    second: Second
    histogram: str
    so_far: Summary


Line = Ready | Part | Summary
