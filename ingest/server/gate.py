"""The way of requests from a connection's parser to its handlers; what is beyond the capacity turns round here."""

from dataclasses import dataclass
from typing import Any, Protocol

from ingest.capacity import Capacity
from ingest.server.answers import Refusals
from ingest.server.heads import Found, Head, Heads, Known, Way, head_bytes

_HTTP_1_1 = (1, 1)
# A chunk of one byte takes six on the wire.
_MOST_PACKING = 8
_FREE_BYTES = 64 * 2**10


class Doorway(Protocol):
    """The connection behind a gate."""

    def is_idle(self) -> bool:
        """Whether it waits for a request, so that an answer can go out at once."""
        ...

    def answer(self, whole: bytes, /) -> None:
        """Send a whole HTTP answer."""
        ...

    def cut(self) -> None:
        """End the connection without an answer."""
        ...

    def count(self) -> None:
        """The next request was let in and has to leave when it is answered."""
        ...


class Gate:
    """Stands in for aiohttp's parser and asks it. A write beyond the capacity is answered right here.

    To refuse it further in costs three times as much, and at three times the capacity that would be all there is.
    Only a request that came whole and alone is refused here: any other is let through, to be refused by its handler.
    """

    def __init__(self, parser: Any, doorway: Doorway, capacity: Capacity, refusals: Refusals) -> None:
        self._parser = parser
        self._doorway = doorway
        self._capacity = capacity
        self._refusal_of = refusals.by_path
        self._arriving: Any = None
        self._last: Any = None
        self._wire_bytes = 0
        self._place = _Place()
        # The head of the write that came last, which may come again.
        self._admitted: _Admitted | None = None
        self._heads = Heads()
        # Everything but feed_data is the parser's own.
        self.message_consumed = parser.message_consumed
        self.pause_reading = parser.pause_reading
        self.set_upgraded = parser.set_upgraded
        self.feed_eof = parser.feed_eof

    def feed_data(self, data: bytes) -> Any:
        """What the parser makes of ``data``, without a request that was refused here."""
        try:
            parsed = self._parser.feed_data(data)
            messages, upgraded, tail = parsed
            head = self._place.follow(data, messages)
        except BaseException:
            self._place.lose()
            raise
        finally:
            # What goes wrong keeps this frame for as long as it is remembered itself.
            size = len(data)
            del data
        self._weigh(messages, size)
        if messages:
            self._admitted = None
        if len(messages) != 1 or upgraded or not self._doorway.is_idle():
            return parsed
        message, payload = messages[0]
        refusal = self._refusal_of.get(message.path.partition("?")[0]) if message.method == "POST" else None
        if refusal is None or message.should_close or message.version != _HTTP_1_1:
            return parsed
        if head is not None:
            self._admitted = _Admitted(head, message, payload, refusal)
        if not payload.is_eof():
            return parsed
        if self._capacity.enter():
            self._doorway.count()
            return parsed
        self._parser.message_consumed()
        self._doorway.answer(refusal)
        return [], upgraded, tail

    def remember(self, headers: object, way: Way) -> None:
        """The request at work, if it is the one that has these ``headers``, and all with the same head lead ``way``."""
        admitted, self._admitted = self._admitted, None
        if admitted is None or admitted.message.headers is not headers or not self._place.is_between:
            return
        head = Head.of(admitted.head, admitted.message, admitted.payload.total_bytes)
        if head is not None:
            self._heads.remember(head, Known(way, admitted.refusal))

    def recall(self, data: bytes) -> Found | None:
        """What begins with ``data``, if the parser need not see it: its head is known, and nothing stands before it."""
        return self._heads.find(data) if self._place.is_between else None

    @property
    def ends_with_write(self) -> bool:
        """Whether the last request is one that writes, and came whole."""
        is_whole = self._arriving is None or self._arriving.is_eof()
        return is_whole and self._last is not None and self._last.method == "POST"

    def _weigh(self, messages: Any, size: int) -> None:
        """Cut a body whose chunks are mostly packing: the parser holds on to it, and no limit of a body sees it."""
        if messages:
            self._last, payload = messages[-1]
            self._arriving, self._wire_bytes = None if payload.is_eof() else payload, 0
        elif self._arriving is not None:
            self._wire_bytes += size
            if self._wire_bytes > _FREE_BYTES + _MOST_PACKING * self._arriving.total_bytes:
                self._arriving = None
                self._doorway.cut()


@dataclass(frozen=True, slots=True)
class _Admitted:
    """A write that came alone, until its handler says where it leads."""

    head: bytes
    message: Any
    payload: Any
    refusal: bytes


class _Place:
    """Where the parser stands, told by counting: ``is_between`` requests if it holds nothing of one.

    That is sure for heads and bodies that came one after the other, each head in one piece; else it is never again.
    """

    def __init__(self) -> None:
        self.is_between = True
        self._payload: Any = None
        self._owed_head_bytes = 0
        self._fed_bytes = 0

    def follow(self, piece: bytes, messages: Any) -> bytes | None:
        """The parser has made ``messages`` of ``piece``. Returns the head that it began with, if it held no other."""
        was_between, self.is_between, head = self.is_between, False, None
        self._fed_bytes += len(piece)
        if messages:
            length = head_bytes(piece, messages[0][0]) if was_between and len(messages) == 1 else None
            if length is None:
                self.lose()
                return None
            head = piece[:length]
            self._payload, self._owed_head_bytes, self._fed_bytes = messages[0][1], length, len(piece)
        payload = self._payload
        self.is_between = (
            payload is not None and payload.is_eof() and self._fed_bytes == self._owed_head_bytes + payload.total_bytes
        )
        return head

    def lose(self) -> None:
        self.is_between, self._payload = False, None
