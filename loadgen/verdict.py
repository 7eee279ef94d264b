"""What an answer says about the events of its request."""

import msgspec

from loadgen.connection import Answer
from loadgen.plain_text import plain


class Rejection(msgspec.Struct, frozen=True):
    """An event the service refused: its place in the request, and why."""

    index: int
    reason: str


class Receipt(msgspec.Struct, frozen=True):
    """The JSON body of an answer to ``POST /events``. ``not_listed`` events were refused beyond those listed."""

    accepted: int
    rejected: tuple[Rejection, ...]
    not_listed: int = 0


class Verdict(msgspec.Struct, frozen=True):
    """``error`` set: none of the events is known to be stored. Otherwise all are, but those in ``rejected``."""

    rejected: tuple[Rejection, ...] = ()
    error: str | None = None


ALL_ACKED = Verdict()

_receipts = msgspec.json.Decoder(Receipt)


def judge(answer: Answer, size: int) -> Verdict:
    """Judge the answer to a request of ``size`` events. A 400 with a receipt is one where nothing was acceptable."""
    if answer.status == 204:
        return ALL_ACKED
    if not 200 <= answer.status < 300 and answer.status != 400:
        return Verdict(error=f"HTTP {answer.status}")
    receipt = _receipt(answer.body)
    if receipt is None:
        return Verdict(error="HTTP 400" if answer.status == 400 else f"HTTP {answer.status} without a receipt")
    return _judge_receipt(answer.status, receipt, size)


def _judge_receipt(status: int, receipt: Receipt, size: int) -> Verdict:
    if receipt.accepted == size and not receipt.rejected and status != 400:
        return ALL_ACKED
    places = {rejection.index for rejection in receipt.rejected}
    counted = receipt.accepted + len(receipt.rejected) + receipt.not_listed
    if counted != size or len(places) != len(receipt.rejected) or not places <= set(range(size)):
        return Verdict(error=f"HTTP {status}, but its receipt does not add up to the events sent")
    if status == 400 and receipt.accepted:
        return Verdict(error="HTTP 400, but its receipt accepts events")
    if receipt.not_listed:
        return Verdict(
            error=f"HTTP {status}, but its receipt lists only some of the events it refuses; try --batch 1000"
        )
    return Verdict(tuple(Rejection(one.index, plain(one.reason)) for one in receipt.rejected))


def _receipt(body: bytes) -> Receipt | None:
    try:
        return _receipts.decode(body)
    except msgspec.DecodeError:
        return None
