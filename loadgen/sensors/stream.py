"""The stream: the sensors of a plan take turns, and their readings become events."""

import math
from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import count

from loadgen.pacer import Pacer
from loadgen.plan import Plan
from loadgen.sensors.event import Event
from loadgen.sensors.fleet import Sensor, fleet
from loadgen.sensors.mishaps import (
    LATE_TURNS,
    REPEATED_TURNS,
    SILENT_READINGS,
    STUCK_READINGS,
    Mishap,
    Mishaps,
    between,
)
from loadgen.sensors.profiles import PROFILES


class Stream:
    """The events of a plan's share in the order of sending, without end; to be iterated once.

    Each place of the plan carries one event, so the rate stays what it is: when a sensor is silent or its event
    late, the next sensor has its place, and events that come late or again take a place of their own. The same plan
    gives the same events. A sensor's own timestamps strictly increase from reading to reading, so an event that is
    not sent again on purpose has an identity of its own. But for late and repeated events timestamps never go back.
    """

    def __init__(self, plan: Plan) -> None:
        profile = PROFILES[plan.profile]
        self._start_ms = plan.start_ms
        self._times_ms = Pacer.of(plan).events_ms()
        self._sensors, self._chance = fleet(plan, profile)
        self._talking = self._sensors
        self._talking_until = math.inf
        self._most_silent = len(self._sensors) // 4
        self._silent = 0
        self._mishaps = Mishaps.of(profile.troubles)
        self._held: list[tuple[int, int, Event]] = []
        self._held_before = count()

    @property
    def oldest_held_ms(self) -> int | None:
        """The oldest timestamp of the events that are still to come late or again."""
        return min((event.timestamp for _, _, event in self._held), default=None)

    def __iter__(self) -> Iterator[Event]:
        chance, mishaps = self._chance, self._mishaps.share
        none = 1 - mishaps
        clock_ms = planned_ms = self._next_ms()
        for turn in count():
            for event in self._due(turn):
                yield event
                planned_ms = self._next_ms()
            for sensor in self._talking_in(turn):
                # Faster than one event a ms and sensor, time has to run ahead of the plan; for all of them alike.
                timestamp = planned_ms if planned_ms > clock_ms else clock_ms
                if timestamp <= sensor.last_ms:
                    timestamp = sensor.last_ms + 1
                clock_ms = sensor.last_ms = timestamp
                drawn = chance()
                if drawn >= mishaps:
                    yield Event(timestamp, sensor.tag, sensor.read(timestamp, (drawn - mishaps) / none))
                elif (sent := self._mishap(sensor, drawn, turn)) is not None:
                    yield sent
                else:
                    continue
                planned_ms = self._next_ms()

    def _next_ms(self) -> int:
        return self._start_ms + next(self._times_ms)

    def _due(self, turn: int) -> Iterator[Event]:
        """What was held back until this turn."""
        while self._held and self._held[0][0] <= turn:
            yield heappop(self._held)[2]

    def _talking_in(self, turn: int) -> list[Sensor]:
        if turn >= self._talking_until:
            self._talking = [sensor for sensor in self._sensors if sensor.silent_until <= turn]
            silent = [sensor.silent_until for sensor in self._sensors if sensor.silent_until > turn]
            self._silent = len(silent)
            self._talking_until = min(silent, default=math.inf)
        return self._talking

    def _mishap(self, sensor: Sensor, drawn: float, turn: int) -> Event | None:
        """The event to be sent now, if there is one."""
        mishap = self._mishaps.drawn(drawn)
        text = "" if mishap is Mishap.EMPTY else sensor.read(sensor.last_ms, self._chance())
        event = Event(sensor.last_ms, sensor.tag, text)
        match mishap:
            case Mishap.LATE:
                self._hold(event, turn + between(LATE_TURNS, self._chance()))
                return None
            case Mishap.REPEATED:
                self._hold(event, turn + between(REPEATED_TURNS, self._chance()))
            case Mishap.STUCK:
                sensor.get_stuck(text, between(STUCK_READINGS, self._chance()))
            case Mishap.SILENT:
                self._silence(sensor, turn + between(SILENT_READINGS, self._chance()))
        return event

    def _hold(self, event: Event, turn: int) -> None:
        heappush(self._held, (turn, next(self._held_before), event))

    def _silence(self, sensor: Sensor, turn: int) -> None:
        # The others have to keep the rate up.
        if self._silent < self._most_silent:
            self._silent += 1
            sensor.silent_until = turn
            self._talking_until = 0


def events(plan: Plan) -> Iterator[Event]:
    """The events of the plan's share in the order of sending; see Stream."""
    return iter(Stream(plan))
