"""InfluxQL: a query in, its series out."""

import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from http import HTTPStatus
from typing import Any

import aiohttp
import msgspec

from ingest.errors import QueryRefused, StoreUnavailable
from ingest.outcome import retry_after_seconds
from ingest.point_writer import InfluxAddress

_MAX_REASON_CHARACTERS = 300

# JSON knows no infinity: where a sum overflows InfluxDB's answer would be an error instead of rows.
_MESSAGE_PACK = "application/x-msgpack"
# In it what is no UTF-8 is replaced; in the other form no text of such an answer could be read.
_JSON = "application/json"


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
        self._message_pack = msgspec.msgpack.Decoder(_Answer)
        self._json = msgspec.json.Decoder(_Answer)
        self._timeout_seconds = timeout_seconds
        self._session = aiohttp.ClientSession(headers={"Authorization": f"Token {address.token}"})

    async def query(self, text: str, max_bytes: int = sys.maxsize, *, replacing: bool = False) -> list[Series]:
        """The series of every statement; ``replacing`` what is no UTF-8, there must be no infinity.

        Raises StoreUnavailable, and AnswerTooLarge at one of over ``max_bytes``.
        """
        wait = aiohttp.ClientTimeout(total=self._timeout_seconds)
        form, decoder = (_JSON, self._json) if replacing else (_MESSAGE_PACK, self._message_pack)
        with _unavailable():
            async with self._asked(text, form, wait) as response:
                return _series(decoder.decode(await _read(response, max_bytes)).results)

    async def chunks(self, text: str, rows: int) -> AsyncIterator[list[Series]]:
        """The same a piece at a time, of up to ``rows`` rows, however long the whole is and takes.

        What is no UTF-8 is replaced. Raises StoreUnavailable, also in the middle.
        """
        wait = aiohttp.ClientTimeout(total=None, sock_read=self._timeout_seconds)
        rest = b""
        with _unavailable():
            async with self._asked(text, _JSON, wait, chunked="true", chunk_size=str(rows)) as response:
                async for part in response.content.iter_any():
                    *lines, rest = (rest + part).split(b"\n")
                    for line in filter(None, lines):
                        yield _series(self._json.decode(line).results)

    @asynccontextmanager
    async def _asked(
        self, text: str, form: str, wait: aiohttp.ClientTimeout, **others: str
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        parameters = {"db": self._bucket, "epoch": "ns", **others}
        async with self._session.post(
            self._url, params=parameters, data={"q": text}, headers={"Accept": form}, timeout=wait
        ) as response:
            if response.status != HTTPStatus.OK:
                headers = response.headers
                asked_seconds = retry_after_seconds(headers.get("Retry-After"), time.time(), headers.get("Date"))
                reason = _reason(await response.read())
                error = QueryRefused if response.status == HTTPStatus.BAD_REQUEST else StoreUnavailable
                raise error(f"InfluxDB answers {response.status}: {reason}", asked_seconds)
            yield response

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


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise StoreUnavailable(f"InfluxDB does not answer: {str(error) or type(error).__name__}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StoreUnavailable("InfluxDB answers with something that is no answer to a query") from error


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
