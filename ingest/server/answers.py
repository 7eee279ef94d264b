"""Answers that are ready before the question, for when there is no time to put them together."""

import msgspec

from ingest.errors import IngestError, Overloaded, TooManyConnections
from ingest.routes.security_headers import SECURITY_HEADERS


class Refusals:
    """``by_path`` has the whole answer to a write that is refused, for each path that takes writes."""

    def __init__(self, codes: dict[str, str]) -> None:
        """``codes`` has the error code that each path's clients know."""
        self.by_path = {path: _unavailable(Overloaded(), code) for path, code in codes.items()}
        self.connection = _unavailable(TooManyConnections(), TooManyConnections.code, closes=True)


def _unavailable(error: IngestError, code: str, *, closes: bool = False) -> bytes:
    body = msgspec.json.encode({"code": code, "message": str(error)}) + b"\n"
    headers = {
        "Content-Type": "application/json",
        "Content-Length": len(body),
        "Retry-After": error.retry_after_seconds,
        **SECURITY_HEADERS,
        **({"Connection": "close"} if closes else {}),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 503 Service Unavailable\r\n{lines}\r\n".encode() + body
