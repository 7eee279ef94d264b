"""The plan of a run: everything that decides which events it sends, and when."""

import msgspec


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One run. Two runs with equal plans send equal events at equal times after their start.

    ``rate`` is in events a second; 0 means as fast as the connections go. ``duration_seconds`` and ``events``
    are limits, whichever comes first; None is no limit. ``start_ms`` is Unix time.
    """

    url: str
    format: str = "json"
    rate: float = 1000
    sensors: int = 1000
    batch: int = 1
    seed: int = 1
    start_ms: int
    duration_seconds: float | None = None
    events: int | None = None
    connections: int = 100
    timeout_seconds: float = 30

    @property
    def closed_loop(self) -> bool:
        """Whether a request is sent when an answer frees a connection, rather than when its time has come."""
        return self.rate == 0
