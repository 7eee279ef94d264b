"""Readings as request bodies. Shares nothing with ingest's decoders and encoder, so that two bugs cannot cancel out."""

import json
from collections.abc import Callable, Sequence

import msgspec

from tests.faults.readings import Reading


class Body(msgspec.Struct, frozen=True):
    path: str
    content_type: str
    content: bytes


def single(readings: Sequence[Reading]) -> Body:
    """Of one reading."""
    return Body("/events", "application/json", json.dumps(_item(readings[0])).encode())


def array(readings: Sequence[Reading]) -> Body:
    text = json.dumps([_item(reading) for reading in readings], ensure_ascii=False)
    return Body("/get_sensor", "application/json", text.encode())


def ndjson(readings: Sequence[Reading]) -> Body:
    lines = "".join(json.dumps(_item(reading)) + "\n" for reading in readings)
    return Body("/events", "application/x-ndjson", lines.encode())


def line_protocol(readings: Sequence[Reading]) -> Body:
    lines = "".join(_line(reading) for reading in readings if not reading.is_bad)
    return Body("/api/v2/write?precision=ms", "text/plain; charset=utf-8", lines.encode())


FORMATS: tuple[Callable[[Sequence[Reading]], Body], ...] = (array, ndjson, line_protocol)


def _item(reading: Reading) -> dict[str, object]:
    item: dict[str, object] = {"timestamp": reading.timestamp_ms, "tag": reading.tag}
    # An event without a valor is one with an empty one.
    return item if reading.valor is None else item | {"valor": reading.valor}


def _line(reading: Reading) -> str:
    country, region, sensor = reading.tag.split(".")
    if isinstance(reading.stored, float):
        field = f"value={reading.stored!r}"
    else:
        quoted = reading.stored.replace("\\", "\\\\").replace('"', '\\"')
        field = f'text="{quoted}"'
    return f"events,country={country},region={region},sensor={sensor} {field} {reading.timestamp_ms}\n"
