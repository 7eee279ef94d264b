"""Events to request bodies. Written apart from ingest's decoders, so that two bugs can't cancel out."""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import msgspec

from loadgen.sensors import Event

Encode = Callable[[Sequence[Event]], bytes]

# The lowest level leaves an eighth of the bytes; the default one leaves a tenth, for four times the time.
GZIP_LEVEL: Final = 1
GZIP_WINDOW_BITS: Final = 31


@dataclass(frozen=True)
class Format:
    """How events travel: where to, under which content type, in which bytes."""

    path: str
    content_type: str
    encode: Encode


def encode_json(events: Sequence[Event]) -> bytes:
    """One event as an object, several as an array."""
    return msgspec.json.encode(events[0] if len(events) == 1 else events)


def encode_ndjson(events: Sequence[Event]) -> bytes:
    return msgspec.json.Encoder().encode_lines(events)


def encode_line_protocol(events: Sequence[Event]) -> bytes:
    return "".join(map(_line, events)).encode()


def _line(event: Event) -> str:
    country, region, sensor = event.tag.split(".")
    valor = event.valor.replace("\\", "\\\\").replace('"', '\\"')
    return f'events,country={country},region={region},sensor={sensor} valor="{valor}" {event.timestamp}\n'


FORMATS: Final[Mapping[str, Format]] = MappingProxyType(
    {
        "json": Format("/events", "application/json", encode_json),
        "ndjson": Format("/events", "application/x-ndjson", encode_ndjson),
        "lp": Format("/api/v2/write?precision=ms", "text/plain; charset=utf-8", encode_line_protocol),
    }
)


def encoder(name: str, *, gzip: bool) -> Encode:
    """Events to the bytes that travel."""
    encode = FORMATS[name].encode
    if not gzip:
        return encode
    return lambda events: zlib.compress(encode(events), GZIP_LEVEL, GZIP_WINDOW_BITS)
