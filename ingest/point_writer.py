"""Writes ready line protocol to InfluxDB and deletes points, one request a call."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

import aiohttp
import msgspec
from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync
from influxdb_client.rest import ApiException

from ingest.outcome import Answer, retry_after_seconds

_MAX_REASON_CHARACTERS = 1000
# What stands before it may be a sender's own text, of any length.
_DROPPED = re.compile(r" dropped=(?P<points>[0-9]{1,9})(?: for database: \w+ for retention policy: \w+)?\Z")
# The library types the precision as an empty class whose members are plain strings.
_NANOSECONDS: Any = "ns"


@dataclass(frozen=True, slots=True)
class InfluxAddress:
    """Which bucket of which InfluxDB, and the token that opens it."""

    url: str
    org: str
    bucket: str
    token: str


class _ErrorBody(msgspec.Struct):
    message: str = ""
    error: str = ""


class PointWriter:
    """Create it inside a running event loop. Never retries: the shipper decides what an answer means."""

    def __init__(self, address: InfluxAddress, connections: int, timeout_seconds: float, gzip: bool) -> None:
        self._bucket = address.bucket
        self._client = InfluxDBClientAsync(
            url=address.url,
            token=address.token,
            org=address.org,
            timeout=int(timeout_seconds * 1000),
            enable_gzip=gzip,
            connection_pool_maxsize=connections,
            allow_redirects=False,
        )
        self._api = self._client.write_api()

    async def write(self, lines: bytes) -> Answer:
        """Send ``lines`` (times in nanoseconds) and return what InfluxDB says, whatever it is."""
        try:
            accepted = await self._api.write(self._bucket, record=lines, write_precision=_NANOSECONDS)
        except ApiException as error:
            return _answer(error)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Answer(None, f"no answer from InfluxDB: {str(error) or type(error).__name__}")
        return Answer(204) if accepted else Answer(None, "InfluxDB answered 2xx, but not that it had stored the points")

    async def delete(self, measurement: str, tags: Mapping[str, str], start_ms: int, stop_ms: int) -> Answer:
        """Delete the points of a series with ``start_ms`` <= time < ``stop_ms`` (Unix ms)."""
        predicate = " AND ".join(f'{name}="{value}"' for name, value in {"_measurement": measurement, **tags}.items())
        try:
            # InfluxDB deletes the end of the range, too.
            await self._client.delete_api().delete(_iso(start_ms), _iso(stop_ms - 1), predicate, self._bucket)
        except ApiException as error:
            return _answer(error)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Answer(None, f"no answer from InfluxDB: {str(error) or type(error).__name__}")
        return Answer(204)

    async def close(self) -> None:
        await self._client.close()  # type: ignore[no-untyped-call]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _iso(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")


def _answer(error: ApiException) -> Answer:
    headers: Mapping[str, str] = error.headers or {}
    message = _message(error.body) or str(error.reason)
    dropped = _DROPPED.search(message)
    return Answer(
        error.status,
        message[:_MAX_REASON_CHARACTERS],
        retry_after_seconds(headers.get("Retry-After"), time.time(), headers.get("Date")),
        int(dropped["points"]) if dropped else None,
    )


def _message(body: bytes | str | None) -> str:
    try:
        parsed = msgspec.json.decode(body or b"{}", type=_ErrorBody)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return str(body)
    return parsed.message or parsed.error
