"""Answers as bytes: some are ready before the question, for when there is no time to put them together."""

from collections.abc import Iterable
from email.utils import formatdate
from typing import cast

import msgspec
from aiohttp import web

from ingest.errors import IngestError, Overloaded, TooManyConnections
from ingest.routes.security_headers import SECURITY_HEADERS


class Refusals:
    """``by_path`` has the whole answer to a write that is refused, for each path that takes writes."""

    def __init__(self, codes: dict[str, str]) -> None:
        """``codes`` has the error code that each path's clients know."""
        self.by_path = {path: _unavailable(Overloaded(), code) for path, code in codes.items()}
        self.connection = _unavailable(TooManyConnections(), TooManyConnections.code, closes=True)


def whole(answer: web.Response) -> bytes:
    """``answer`` as aiohttp would send it on a connection that stays open, with the headers that every answer has."""
    body = cast(bytes, answer.body) or b""
    length = {"Content-Length": str(len(body))} if body else {}
    date = {"Date": formatdate(usegmt=True)}
    lines = [*answer.headers.items(), *{**length, **date, **SECURITY_HEADERS}.items()]
    return _bytes(answer.status, answer.reason, lines, body)


def _unavailable(error: IngestError, code: str, *, closes: bool = False) -> bytes:
    body = msgspec.json.encode({"code": code, "message": str(error)}) + b"\n"
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Retry-After": str(error.retry_after_seconds),
        **SECURITY_HEADERS,
        **({"Connection": "close"} if closes else {}),
    }
    return _bytes(503, "Service Unavailable", headers.items(), body)


def _bytes(status: int, reason: str, headers: Iterable[tuple[str, str]], body: bytes) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {status} {reason}\r\n{lines}\r\n".encode() + body
