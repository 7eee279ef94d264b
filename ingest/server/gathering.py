"""A body with a known head that comes in pieces: they are kept as they are, and joined once."""

import asyncio
from collections.abc import Callable

from ingest.capacity import BodyShare
from ingest.server.heads import Found

# What comes quickly is worth it; a body that takes longer has its time-outs with aiohttp's requests.
_SECONDS = 0.5


class Gathering:
    """Holds what has come of the request ``found`` in ``piece``; ``end`` is called when it takes too long."""

    __slots__ = ("_came", "_share", "_timer", "found", "pieces")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, found: Found, piece: bytes, share: BodyShare, end: Callable[[], None]
    ) -> None:
        self.found = found
        self.pieces = [piece]
        self._came = len(piece)
        self._share = share
        self._timer = loop.call_later(_SECONDS, end)

    @property
    def missing_bytes(self) -> int:
        """Less than nothing if there is more than this request."""
        return self.found.end - self._came

    def add(self, piece: bytes) -> bool:
        """Whether there is room for it; it is kept all the same."""
        self.pieces.append(piece)
        self._came += len(piece)
        if not self._share.has_room:
            return False
        self._share.grow_to(self._came)
        return True

    def close(self) -> None:
        """No more is awaited."""
        self._timer.cancel()
        self._share.close()

    def body(self) -> bytes:
        """All that came after the head."""
        return b"".join([self.pieces[0][self.found.start :], *self.pieces[1:]])
