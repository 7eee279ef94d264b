"""InfluxQL: a query in, its series out."""

import sys
import time
from collections.abc import Sequence
from enum import StrEnum
from http import HTTPStatus
from typing import Any

import aiohttp
import msgspec

from ingest.errors import StoreUnavailable
from ingest.outcome import retry_after_seconds
from ingest.point_writer import InfluxAddress

_MAX_REASON_CHARACTERS = 300


class Form(StrEnum):
    """How InfluxDB answers."""

    MESSAGE_PACK = "application/x-msgpack"
    """Any number: JSON knows no infinity, so where a sum overflows its answer would be an error instead of rows."""
    JSON = "application/json"
    """Any text: what is no UTF-8 is replaced, while in the other form no text of the answer could be read."""


class AnswerTooLarge(Exception):
    """The answer is longer than was asked for: ask for less."""


class Series(msgspec.Struct):
    """What has the same ``tags``; each of ``values`` is a row, its time in nanoseconds first."""

    tags: dict[str, str] = {}
    values: list[list[Any]] = []


class _Result(msgspec.Struct):
    series: list[Series] = []
    error: str = ""


class _Answer(msgspec.Struct):
    results: list[_Result] = []


class _Error(msgspec.Struct):
    error: str = ""
    message: str = ""


class InfluxQL:
    """Asks one bucket. Create it inside a running event loop; the token needs to read the bucket, nothing more."""

    def __init__(self, address: InfluxAddress, timeout_seconds: float) -> None:
        self._bucket = address.bucket
        self._url = address.url.rstrip("/") + "/query"
        self._decode = {
            Form.MESSAGE_PACK: msgspec.msgpack.Decoder(_Answer).decode,
            Form.JSON: msgspec.json.Decoder(_Answer).decode,
        }
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Token {address.token}"},
            timeout=aiohttp.ClientTimeout(total=timeout_seconds),
        )

    async def query(self, text: str, form: Form = Form.MESSAGE_PACK, max_bytes: int = sys.maxsize) -> list[Series]:
        """The series of every statement. Raises StoreUnavailable, and AnswerTooLarge at one of over ``max_bytes``."""
        parameters, headers = {"db": self._bucket, "epoch": "ns"}, {"Accept": form.value}
        try:
            async with self._session.post(self._url, params=parameters, data={"q": text}, headers=headers) as response:
                body = await _read(response, max_bytes)
                if response.status != HTTPStatus.OK:
                    asked_seconds = retry_after_seconds(response.headers.get("Retry-After"), time.time())
                    raise StoreUnavailable(f"InfluxDB answers {response.status}: {_reason(body)}", asked_seconds)
                return _series(self._decode[form](body).results)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise StoreUnavailable(f"InfluxDB does not answer: {str(error) or type(error).__name__}") from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StoreUnavailable("InfluxDB answers with something that is no answer to a query") from error

    async def close(self) -> None:
        await self._session.close()


async def _read(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > max_bytes:
            # Nobody reads the rest: the connection is of no more use.
            response.close()
            raise AnswerTooLarge
    return bytes(body)


def where(conditions: Sequence[str]) -> str:
    """All of ``conditions``, as a clause with the blank before it."""
    return " WHERE " + " AND ".join(conditions) if conditions else ""


def _series(results: Sequence[_Result]) -> list[Series]:
    for result in results:
        if result.error:
            raise StoreUnavailable(f"InfluxDB answers: {result.error[:_MAX_REASON_CHARACTERS]}")
    return [series for result in results for series in result.series]


def _reason(body: bytes) -> str:
    try:
        parsed = msgspec.json.decode(body, type=_Error)
    except (msgspec.DecodeError, UnicodeDecodeError):
        parsed = _Error()
    return (parsed.message or parsed.error or "no reason given")[:_MAX_REASON_CHARACTERS]
