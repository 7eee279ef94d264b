"""Heads of requests that come again on a connection: the same bytes ask the same again.

Only what aiohttp took as that very request is remembered, so that nothing is parsed here that it would refuse.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

_BLANK_LINE = b"\r\n\r\n"
_MOST_HEADS = 4
_MOST_HEAD_BYTES = 2048
# Of a body's length; a longer one is for aiohttp.
_MOST_DIGITS = 8
_LENGTH = b"content-length"
# What changes how a body is read, or whether it comes at all.
_UNUSUAL = ("Transfer-Encoding", "Content-Encoding", "Expect", "Upgrade")


Done = Callable[[bytes | None], None]
"""Takes the whole HTTP answer, or None where there is none and the connection ends."""


class Way(Protocol):
    """What requests of a remembered head lead to, without aiohttp."""

    @property
    def most_bytes(self) -> int:
        """The longest body that it takes."""
        ...

    def begin(self, body: bytes, done: Done, /) -> bool:
        """Begin the request that has ``body``; False if it has to go aiohttp's way: then nothing has happened yet."""
        ...


class Known(NamedTuple):
    """Where a head leads, and the whole answer to such a request when it is refused for want of capacity."""

    way: Way
    refusal: bytes


class Found(NamedTuple):
    """A request with a known head, whose body is at ``start`` to ``end`` of what comes."""

    known: Known
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Head:
    """A request's head, which stands for all that differ from it in the digits of ``Content-Length`` alone."""

    before_length: bytes
    after_length: bytes

    @staticmethod
    def of(head: bytes, message: Any, body_bytes: int) -> "Head | None":
        """The head that aiohttp took for ``message``, followed by a whole body; None if it says anything unusual."""
        if len(head) > _MOST_HEAD_BYTES or _is_unusual(message):
            return None
        lines = head.split(b"\r\n")
        places = [place for place, (name, _) in enumerate(message.raw_headers, 1) if name.lower() == _LENGTH]
        if len(places) != 1:
            return None
        name, _, value = lines[places[0]].partition(b":")
        digits = b"%d" % body_bytes
        if name.lower() != _LENGTH or not value.endswith(digits) or value.strip(b" ") != digits:
            return None
        line_end = sum(len(line) + 2 for line in lines[: places[0] + 1]) - 2
        return Head(head[: line_end - len(digits)], head[line_end:])

    def body_of(self, request: bytes) -> tuple[int, int] | None:
        """Where the body of ``request`` is, or will be, if it begins with this head."""
        before = self.before_length
        if not request.startswith(before):
            return None
        start = len(before)
        end = request.find(b"\r", start, start + _MOST_DIGITS + 1)
        digits = request[start:end]
        # A number that is written in another way than the first one was is not the same head.
        if end < 0 or not digits.isdigit() or (digits[0] == ord("0") and end != start + 1):
            return None
        after = self.after_length
        if not request.startswith(after, end):
            return None
        body = end + len(after)
        return body, body + int(digits)


class Heads:
    """The heads that a connection's client has been let in with, the latest few, and where they lead."""

    def __init__(self) -> None:
        self._known: dict[Head, Known] = {}

    def remember(self, head: Head, known: Known) -> None:
        self._known.pop(head, None)
        if len(self._known) >= _MOST_HEADS:
            del self._known[next(iter(self._known))]
        self._known[head] = known

    def find(self, request: bytes) -> Found | None:
        """What ``request`` is, if it begins with a head that is known."""
        for head, known in self._known.items():
            body = head.body_of(request)
            if body is not None:
                return Found(known, *body)
        return None


def _is_unusual(message: Any) -> bool:
    headers = message.headers
    if message.chunked or message.upgrade or any(name in headers for name in _UNUSUAL):
        return True
    return str(headers.get("Connection", "keep-alive")).lower() != "keep-alive"


def head_bytes(piece: bytes, message: Any) -> int | None:
    """How long the head of ``message`` is, which begins ``piece``; None unless each of its lines is a line of HTTP."""
    end = piece.find(_BLANK_LINE)
    # Before the first line a parser may pass over empty ones.
    if end < 0 or not piece[:1].isalpha():
        return None
    length = end + len(_BLANK_LINE)
    lines = len(message.raw_headers) + 2
    return length if piece.count(b"\n", 0, length) == piece.count(b"\r\n", 0, length) == lines else None
