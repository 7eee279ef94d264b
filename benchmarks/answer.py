"""HTTP answers, recognized with as little work as it takes: nearly all of them look alike."""

import re
from typing import Final

_STATUS: Final = slice(9, 12)
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


class Answer:
    """Of one server's connections. An answer as long as the last and with its status is taken for another like it."""

    def __init__(self) -> None:
        self._usual = b""
        self._usual_bytes = 0
        self._usual_status = 0
        self._begun: dict[int, bytes] = {}

    def status(self, connection: int, data: bytes) -> int:
        """The status of an answer that is whole with ``data``, 0 of one that is not. Raises RuntimeError at the end."""
        if len(data) == self._usual_bytes and data[_STATUS] == self._usual and not self._begun:
            return self._usual_status
        if not data:
            raise RuntimeError(f"the server hung up on a request; it had said {self._begun.get(connection, b'')!r}")
        return self._look(connection, self._begun.pop(connection, b"") + data)

    def _look(self, connection: int, data: bytes) -> int:
        head, found, body = data.partition(b"\r\n\r\n")
        length = _LENGTH.search(head + b"\r\n")
        if not found or len(body) < (int(length.group(1)) if length else 0):
            self._begun[connection] = data
            return 0
        self._usual, self._usual_bytes, self._usual_status = data[_STATUS], len(data), int(data[_STATUS])
        return self._usual_status
