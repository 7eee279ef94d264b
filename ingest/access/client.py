"""Who a request is from."""

from enum import StrEnum
from typing import Final

import msgspec


class Right(StrEnum):
    """What a token is for."""

    WRITE = "write"
    READ = "read"
    ALL = "all"


class Client(msgspec.Struct, frozen=True):
    """``name`` is the token's, never its text."""

    name: str
    right: Right

    def may(self, right: Right) -> bool:
        return self.right in (right, Right.ALL)


ANONYMOUS: Final = Client("anonymous", Right.ALL)
