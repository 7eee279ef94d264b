"""The event as a sensor sends it."""

import msgspec


class Event(msgspec.Struct, frozen=True, gc=False):
    """One reading; ``timestamp`` is Unix time in ms."""

    timestamp: int
    tag: str
    valor: str
