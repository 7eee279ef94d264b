"""A connection to InfluxDB with a token, and its errors in plain sentences."""

# influxdb_client declares itself typed, but most of its functions are not annotated.
# mypy: disable-error-code="no-untyped-call"

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import cache

from aiohttp import ClientError
from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync
from influxdb_client.rest import ApiException

from influx.errors import Refused, Unauthorized, Unreachable

TIMEOUT_MILLISECONDS = 10_000


@dataclass(frozen=True, slots=True)
class Access:
    """Where InfluxDB is and what to say to be let in; `token_source` says where the token came from."""

    url: str
    token: str = field(default="", repr=False)
    token_source: str = "the token given"  # noqa: S105 - says where, not what
    username: str = "admin"
    password: str = field(default="", repr=False)


@asynccontextmanager
async def connected(access: Access) -> AsyncIterator[InfluxDBClientAsync]:
    """A client whose errors leave the block as NotApplied."""
    with plainly(access):
        async with InfluxDBClientAsync(
            access.url, access.token, timeout=TIMEOUT_MILLISECONDS, ssl_context=trusted()
        ) as client:
            yield client


@cache
def trusted() -> ssl.SSLContext:
    """The system's certificate authorities: reading them takes longer than all our requests."""
    return ssl.create_default_context()


@contextmanager
def plainly(access: Access) -> Iterator[None]:
    try:
        yield
    except ApiException as error:
        raise answered(access, error) from None
    except (ClientError, TimeoutError, OSError) as error:
        raise Unreachable(away(access, error)) from None


def answered(access: Access, error: ApiException) -> Refused | Unauthorized | Unreachable:
    said = f"InfluxDB at {access.url} answered {error.status}: {message(error)}"
    if error.status in (401, 403):
        way_out = "give the operator token in a file with --token-file or INFLUXDB_TOKEN_FILE."
        return Unauthorized(f"{said}. It does not accept {access.token_source} for this; {way_out}")
    if error.status is not None and error.status >= 500:
        return Unreachable(f"{said}. If it is still starting, give it time (apply: --wait 30).")
    return Refused(f"{said}.")


def message(error: ApiException) -> str:
    text = error.message.decode(errors="replace") if isinstance(error.message, bytes) else str(error.message)
    return " ".join(text.split())[:300]


def away(access: Access, error: Exception) -> str:
    why = str(error) or type(error).__name__
    start = "start it (docker compose up -d influxdb, or influxd), give it time (apply: --wait 30), or set --url"
    return f"No InfluxDB answers at {access.url} ({why}): {start}."
