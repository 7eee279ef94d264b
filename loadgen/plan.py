"""The plan of a run: everything that decides which events it sends, and when."""

from typing import Self

import msgspec


class Stage(msgspec.Struct, frozen=True):
    """A stretch of a run in which the rate, in events a second, goes evenly from one value to another."""

    start_rate: float
    stop_rate: float
    seconds: float


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One run. Two runs with equal plans send equal events at equal times after their start.

    ``rate`` is in events a second; 0 means as fast as the connections go. ``stages``, if there are any, take its
    place, one after the other. ``duration_seconds`` and ``events`` are limits, whichever comes first; None is no
    limit. ``profile`` is one of ``sensors.PROFILES``. ``start_ms`` is Unix time. ``processes`` is how many the run
    is shared out to, and ``share`` which of them, from 0, this plan is for: the plan of a whole run has share 0 and
    is for one process only if there is one.
    """

    url: str
    format: str = "json"
    gzip: bool = False
    rate: float = 1000
    stages: tuple[Stage, ...] = ()
    sensors: int = 1000
    profile: str = "steady"
    batch: int = 1
    seed: int = 1
    start_ms: int
    duration_seconds: float | None = None
    events: int | None = None
    connections: int = 100
    timeout_seconds: float = 30
    processes: int = 1
    share: int = 0

    @property
    def closed_loop(self) -> bool:
        """Whether a request is sent when an answer frees a connection, rather than when its time has come."""
        return self.rate == 0 and not self.stages

    def shares(self) -> list[Self]:
        """The plan of each process. Every event of the run is in exactly one, and so is every sensor.

        Share ``k`` of ``n`` has sensors k, k + n, k + 2n … and sends every n-th event of the run, from number k on,
        when it is due in the whole, over every n-th connection.
        """
        connections = [len(range(number, self.connections, self.processes)) for number in range(self.processes)]
        return [
            msgspec.structs.replace(self, share=number, connections=connections[number])
            for number in range(self.processes)
        ]
