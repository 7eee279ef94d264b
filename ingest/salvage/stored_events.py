"""What a damaged file of the embedded store still holds. The time of an event is partly made of its valor: that tells
those that were altered."""

from collections.abc import Iterator
from pathlib import Path

from ingest.event import NS_PER_MS, Event, time_ns
from ingest.salvage import cells
from ingest.salvage.cells import INDEX_INTERIOR, INDEX_LEAF, LEAF
from ingest.salvage.image import Image
from ingest.salvage.record import NoRecord, Value, values

_KINDS = (INDEX_LEAF, INDEX_INTERIOR)


def events_in(path: Path) -> Iterator[Event | None]:
    """Every event that is as it was written, some of them twice; None for one that is not."""
    with Image(path) as image:
        tags = {found[0]: found[1] for found in _sensors(image)}
        for kind, row in _rows(image, _KINDS):
            match row:
                case [int(stored_ns), int(sensor_id), bytes(valor)] if kind in _KINDS:
                    yield _event(stored_ns, tags.get(sensor_id), valor)


def _event(stored_ns: int, tag: str | None, valor: bytes) -> Event | None:
    text = valor.decode(errors="replace")
    timestamp_ms = stored_ns // NS_PER_MS
    return Event(timestamp_ms, tag, text) if tag and time_ns(timestamp_ms, text) == stored_ns else None


def _sensors(image: Image) -> Iterator[tuple[int, str]]:
    for _, row in _rows(image, (LEAF,)):
        match row:
            case [int(row_id), None, bytes(country), bytes(region), bytes(sensor), bytes(tag), int(), int()]:
                if tag == b".".join((country, region, sensor)):
                    yield row_id, tag.decode(errors="replace")


def _rows(image: Image, kinds: tuple[int, ...]) -> Iterator[tuple[int, list[Value]]]:
    for number, page in image.pages():
        kind = page[0] if page else 0
        if kind not in kinds:
            continue
        for at in cells.starts(page, number) or ():
            try:
                cell = cells.cell(image, page, at, kind)
                yield kind, [*([cell.id] if kind == LEAF else []), *values(cell.payload)]
            except NoRecord:
                continue
