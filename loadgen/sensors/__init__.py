"""Believable sensors: a plan's seed and profile become an endless stream of events."""

from typing import Final

from loadgen.sensors.event import Event
from loadgen.sensors.profiles import PROFILES
from loadgen.sensors.stream import Stream, events

# To be raised whenever a plan's events become others: verify makes them again, and has to know that it can't.
EVENTS_VERSION: Final = 1

__all__ = ["EVENTS_VERSION", "PROFILES", "Event", "Stream", "events"]
