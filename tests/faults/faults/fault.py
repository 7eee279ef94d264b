"""A fault: what is done to a running service."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random

from tests.faults.scene import Scene

EMBEDDED, INFLUX = "embedded", "influx"

Strike = Callable[[Scene, Random], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """``strike`` is called at random moments, under load, and returns when the fault is over.

    It leaves the service alive or starts it again; the harness then waits until events are acked and stored again.
    """

    name: str
    strike: Strike
    stores: tuple[str, ...] = (EMBEDDED, INFLUX)
    options: tuple[str, ...] = ()
    """More options of ``ingest serve``."""
    variables: dict[str, str] = field(default_factory=dict)
    """More variables of its environment, LD_PRELOAD for example."""
    may_die: bytes | None = None
    """Only lines with this in them may become dead letters; None: none may."""
    said: frozenset[str] = frozenset()
    """Events of the log, of level error, that the fault makes right."""
