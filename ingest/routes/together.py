"""Single events that come while others are made durable are taken as one body: each then costs a share of it."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar

from ingest.decode import Decoded
from ingest.decode.json_events import JsonDecoder
from ingest.server.errand import Errand
from ingest.server.heads import Done

# So that decoding them does not hold up the loop.
_MOST_EVENTS = 500
# To keep one event costs as much as to keep ten: where they come thick, that is done 500 times a second, or as soon as
# all are back who were answered together.
_THICK = 4
_PACE_SECONDS = 0.002
_CROWD_LEFT_BY_A_ROUND = 0.9

Way = TypeVar("Way")


class Asked(NamedTuple, Generic[Way]):
    """A request of the express lane, which ``started`` by ``perf_counter``."""

    way: Way
    body: bytes
    started: float
    done: Done


class Together(Generic[Way]):
    """Gathers bodies; ``answers`` keeps what several hold, an event each, and ``begin_alone`` takes any other one."""

    def __init__(
        self,
        decoder: JsonDecoder,
        answers: Callable[[Sequence[Asked[Way]], Decoded], Coroutine[Any, Any, list[bytes]]],
        begin_alone: Callable[[Asked[Way]], None],
    ) -> None:
        self._decoder = decoder
        self._answers = answers
        self._begin_alone = begin_alone
        self._gathered: list[Asked[Way]] = []
        self._parts_at_work = 0
        self._next_at = 0.0
        self._next: asyncio.Handle | None = None
        self._crowd = 1

    def put(self, asked: Asked[Way]) -> None:
        """Begin it once nothing is at work any more, with all that has come until then."""
        self._gathered.append(asked)
        if self._parts_at_work:
            return
        if self._next is None:
            self._begin_in_time()
        elif len(self._gathered) == self._crowd:
            self._next.cancel()
            self._next = asyncio.get_running_loop().call_soon(self._begin)

    def _begin_in_time(self) -> None:
        loop, all_are_back = asyncio.get_running_loop(), len(self._gathered) >= self._crowd
        self._next = loop.call_soon(self._begin) if all_are_back else loop.call_at(self._next_at, self._begin)

    def _begin(self) -> None:
        self._next = None
        asked, self._gathered = self._gathered, []
        self._crowd = max(len(asked), int(self._crowd * _CROWD_LEFT_BY_A_ROUND))
        pace_seconds = _PACE_SECONDS if len(asked) >= _THICK else 0.0
        self._next_at = asyncio.get_running_loop().time() + pace_seconds
        parts = [asked[place : place + _MOST_EVENTS] for place in range(0, len(asked), _MOST_EVENTS)]
        self._parts_at_work = len(parts)
        for part in parts:
            self._begin_part(part)

    def _begin_part(self, asked: Sequence[Asked[Way]]) -> None:
        decoded = self._decoder.together([one.body for one in asked])
        if decoded is not None:
            Errand(self._answers(asked, decoded), partial(self._hand_out, asked)).go_on()
            return
        for one in asked:
            self._begin_alone(one)
        self._end_part()

    def _hand_out(self, asked: Sequence[Asked[Way]], answers: Sequence[bytes] | None) -> None:
        for place, one in enumerate(asked):
            one.done(answers[place] if answers else None)
        self._end_part()

    def _end_part(self) -> None:
        self._parts_at_work -= 1
        if self._gathered and not self._parts_at_work:
            self._begin_in_time()
