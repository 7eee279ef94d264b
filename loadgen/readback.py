"""Reading back what the service stores, through its own ``GET /get_data``."""

from collections.abc import AsyncIterator

import aiohttp
import msgspec

from loadgen.faults import fault_text
from loadgen.plain_text import plain

EVERYTHING = 1_000_000_000
CHUNK_BYTES = 1 << 18
QUOTED_BYTES = 1000


class Row(msgspec.Struct, frozen=True, gc=False):
    """A stored event as the service shows it; ``timestamp`` in Unix ms."""

    timestamp: int
    tag: str
    valor: str
    status: str


class CannotReadError(Exception):
    """The service is away or does not answer as it should; the text says which."""


async def stored(session: aiohttp.ClientSession, url: str, start_ms: int, stop_ms: int) -> AsyncIterator[Row]:
    """Every stored event from ``start_ms`` up to, not including, ``stop_ms``. Raises CannotReadError."""
    query = {"start": start_ms, "stop": stop_ms, "limit": EVERYTHING}
    try:
        async with session.get(f"{url}/get_data", params=query, headers={"Accept": "application/x-ndjson"}) as response:
            if response.status != 200:
                quoted = plain((await response.content.read(QUOTED_BYTES)).decode(errors="replace"))
                raise CannotReadError(f"{response.url} answered {response.status}: {quoted}")
            async for row in _rows(response.content):
                yield row
    except aiohttp.ClientConnectorCertificateError as error:
        raise CannotReadError(f"{url}: {fault_text(error.certificate_error)}; see --ca-file") from error
    except aiohttp.ClientConnectorError as error:
        raise CannotReadError(f"nobody answers at {url}: {fault_text(error.os_error)}. Is the service up?") from error
    except (aiohttp.ClientError, TimeoutError) as error:
        reason = plain(str(error)) or type(error).__name__
        raise CannotReadError(f"{url}/get_data: {reason}; is the service up?") from error
    except msgspec.DecodeError as error:
        raise CannotReadError(f"{url}/get_data did not answer with rows of NDJSON: {error}") from error


async def _rows(content: aiohttp.StreamReader) -> AsyncIterator[Row]:
    decoder = msgspec.json.Decoder(Row)
    rest = b""
    async for chunk in content.iter_chunked(CHUNK_BYTES):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if line:
                yield decoder.decode(line)
    if rest:
        yield decoder.decode(rest)
