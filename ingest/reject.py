"""Why something was not accepted."""

import msgspec


class Reject(msgspec.Struct, frozen=True):
    """A stable ``code`` for programs and metrics, a sentence (``reason``) for people."""

    code: str
    reason: str


class RejectedItem(msgspec.Struct, frozen=True):
    """One item of a request that was not accepted; ``index`` counts from 0, None means the whole body."""

    index: int | None
    code: str
    reason: str

    @classmethod
    def at(cls, index: int | None, reject: Reject) -> "RejectedItem":
        return cls(index, reject.code, reject.reason)
