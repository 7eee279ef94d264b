"""Answers that every route shares: JSON, and what an error means in HTTP."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from aiohttp import hdrs, web

from ingest.errors import (
    BadParameter,
    BodyTooLarge,
    BodyTooSlow,
    BrokenEncoding,
    Closed,
    CrossSite,
    DeadLettersFull,
    DiskFailed,
    Forbidden,
    IngestError,
    LineTooLong,
    MainUnavailable,
    Overloaded,
    SpoolFull,
    StoreUnavailable,
    TooManyConnections,
    TooManyEvents,
    TooManyReads,
    TooManyRequests,
    TooManyWatchers,
    Unauthorized,
    UnknownContentType,
    UnknownEncoding,
    UnknownHost,
)

JSON = "application/json"
# The first is for browsers, which then ask for a password. Chromium understands neither where both stand in one header.
_CHALLENGES = ('Basic realm="pulso"', "Bearer")

STATUS: dict[type[IngestError], HTTPStatus] = {
    BadParameter: HTTPStatus.BAD_REQUEST,
    BrokenEncoding: HTTPStatus.BAD_REQUEST,
    Unauthorized: HTTPStatus.UNAUTHORIZED,
    CrossSite: HTTPStatus.FORBIDDEN,
    Forbidden: HTTPStatus.FORBIDDEN,
    UnknownHost: HTTPStatus.FORBIDDEN,
    BodyTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    TooManyEvents: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    LineTooLong: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    BodyTooSlow: HTTPStatus.REQUEST_TIMEOUT,
    UnknownContentType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    UnknownEncoding: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Closed: HTTPStatus.SERVICE_UNAVAILABLE,
    DeadLettersFull: HTTPStatus.SERVICE_UNAVAILABLE,
    DiskFailed: HTTPStatus.SERVICE_UNAVAILABLE,
    SpoolFull: HTTPStatus.SERVICE_UNAVAILABLE,
    StoreUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    MainUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    Overloaded: HTTPStatus.SERVICE_UNAVAILABLE,
    TooManyReads: HTTPStatus.SERVICE_UNAVAILABLE,
    TooManyConnections: HTTPStatus.SERVICE_UNAVAILABLE,
    TooManyWatchers: HTTPStatus.SERVICE_UNAVAILABLE,
}

_PIECE_BYTES = 64 * 2**10
_RETRIED = (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS)

# On InfluxDB's own routes its clients find InfluxDB's own codes.
_INFLUX_PATHS = ("/api/v2/write", "/write")
_INFLUX_CODES = {
    HTTPStatus.BAD_REQUEST: "invalid",
    HTTPStatus.UNAUTHORIZED: "unauthorized",
    HTTPStatus.FORBIDDEN: "forbidden",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "request too large",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "invalid",
    HTTPStatus.TOO_MANY_REQUESTS: "too many requests",
    HTTPStatus.SERVICE_UNAVAILABLE: "unavailable",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def json_answer(body: Any, status: int = HTTPStatus.OK) -> web.Response:
    return web.Response(body=msgspec.json.encode(body) + b"\n", status=status, content_type=JSON)


async def in_pieces(request: web.Request, body: bytes, headers: Mapping[str, str]) -> web.StreamResponse:
    """An answer of which no more is on its way at a time than its client takes."""
    if len(body) <= _PIECE_BYTES or request.method == hdrs.METH_HEAD:
        return web.Response(body=body, headers=headers)
    answer = web.StreamResponse(headers={**headers, hdrs.CONTENT_LENGTH: str(len(body))})
    await answer.prepare(request)
    view = memoryview(body)
    for start in range(0, len(body), _PIECE_BYTES):
        await answer.write(view[start : start + _PIECE_BYTES])
    await answer.write_eof()
    return answer


def error_answer(status: int, code: str, message: str) -> web.Response:
    """Errors look as InfluxDB's do, on every route."""
    return json_answer({"code": code, "message": message}, status)


def code_at(path: str, error: IngestError) -> str:
    """The code of ``error`` for clients of ``path``."""
    return _INFLUX_CODES.get(STATUS[type(error)], error.code) if path in _INFLUX_PATHS else error.code


def answer_to(path: str, error: IngestError) -> web.Response:
    """What ``error`` means to a client of ``path``."""
    status = STATUS[type(error)]
    answer = error_answer(status, code_at(path, error), str(error))
    if status in _RETRIED:
        answer.headers["Retry-After"] = str(error.retry_after_seconds)
    if status == HTTPStatus.UNAUTHORIZED:
        answer.headers.extend([("WWW-Authenticate", challenge) for challenge in _CHALLENGES])
    return answer


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns what a handler raises into an answer; what nobody expected is logged and becomes a 500."""
    try:
        return await handler(request)
    except IngestError as error:
        return answer_to(request.path, error)
    except web.HTTPException as error:
        answer = error_answer(error.status, error.reason.lower(), _sentence(request, error))
        if "Allow" in error.headers:
            answer.headers["Allow"] = error.headers["Allow"]
        return answer
    except ConnectionError:
        # Nobody is there to read this; but what is raised from here aiohttp would log as an error of ours.
        return error_answer(HTTPStatus.BAD_REQUEST, "client_gone", "the client closed the connection")
    except Exception:
        return unexpected(request.method, request.path)


def unexpected(method: str, path: str) -> web.Response:
    """The answer where an exception that nobody expected is being handled; it is logged."""
    structlog.get_logger("routes").exception("unexpected_error", method=method, path=path)
    return error_answer(
        HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "something unexpected went wrong; the log says what"
    )


def _sentence(request: web.Request, error: web.HTTPException) -> str:
    if isinstance(error, web.HTTPMethodNotAllowed):
        return f"{request.path} takes {', '.join(sorted(error.allowed_methods))}, not {request.method}"
    if error.status == HTTPStatus.NOT_FOUND:
        there = "try /view_sensor, /get_data, /counts, /ready or /metrics, and POST to /events"
        return f"there is nothing at {request.path}; {there}"
    return error.text or error.reason
