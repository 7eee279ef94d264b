"""Believable sensors: a plan's seed and profile become an endless stream of events."""

from loadgen.sensors.event import Event
from loadgen.sensors.profiles import PROFILES
from loadgen.sensors.stream import Stream, events

__all__ = ["PROFILES", "Event", "Stream", "events"]
