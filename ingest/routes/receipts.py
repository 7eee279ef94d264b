"""What a body of events or lines is answered with."""

from collections.abc import Callable
from http import HTTPStatus

import msgspec
from aiohttp import web

from ingest.decode import Decoded
from ingest.line_parser import LINE_PROTOCOL
from ingest.reject import RejectedItem
from ingest.routes.answers import error_answer, json_answer

_MAX_LINES_NAMED = 10

ReceiptOf = Callable[[Decoded], web.Response]
"""The answer to a body."""


class Receipt(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to a body of events; ``not_listed`` counts what was refused beyond the listed ones."""

    accepted: int
    rejected: list[RejectedItem]
    not_listed: int = 0


def events_receipt(decoded: Decoded) -> web.Response:
    """202 with what was refused, 400 if nothing could be taken."""
    status = HTTPStatus.ACCEPTED if decoded.accepted else HTTPStatus.BAD_REQUEST
    listed = decoded.rejects.listed
    return json_answer(Receipt(decoded.accepted, listed, decoded.rejects.total() - len(listed)), status)


def lines_receipt(decoded: Decoded) -> web.Response:
    """204, or InfluxDB's error for the lines that were refused."""
    if not decoded.rejects.listed:
        return web.Response(status=HTTPStatus.NO_CONTENT)
    return error_answer(HTTPStatus.BAD_REQUEST, "invalid", _refused_lines(decoded))


def _refused_lines(decoded: Decoded) -> str:
    reasons = "\n".join(map(_reason, decoded.rejects.listed[:_MAX_LINES_NAMED]))
    if not decoded.accepted:
        return reasons
    return f"partial write: {reasons} dropped={decoded.rejects.total()}"


def _reason(item: RejectedItem) -> str:
    # What the parser refuses is shown with its text; what a rule refuses needs its place.
    if item.index is None or item.code == LINE_PROTOCOL:
        return item.reason
    return f"point {item.index + 1}: {item.reason}"
