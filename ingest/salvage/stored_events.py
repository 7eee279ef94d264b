"""What a damaged file of the embedded store still holds. The time of an event is partly made of its valor: that tells
those that were altered."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ingest.event import NS_PER_MS, Event, time_ns
from ingest.salvage import cells
from ingest.salvage.cells import INDEX_INTERIOR, INDEX_LEAF, LEAF
from ingest.salvage.image import Image
from ingest.salvage.record import NoRecord, Value, values

_KINDS = (INDEX_LEAF, INDEX_INTERIOR)


Pages = Iterator[tuple[int, bytes]]


def events_in(path: Path, kept: Sequence[Path] = ()) -> Iterator[Event | None]:
    """Every event that is as it was written, some of them twice; None for one that is not.

    First as SQLite itself would read them, then what is behind a break of the log, or of one of its ``kept`` copies.
    """
    with Image(path) as image:
        tags = _sensors(image, image.pages())
        yield from _events(image, image.pages(), tags)
    for one in (path, *kept):
        with Image(one) as image, Image(one, newest=True) as newest:
            # What came after a copy was made may have given the ids of lost sensors to others: the copy tells its own.
            before = tags if one == path else _sensors(image, image.pages())
            behind = _sensors(newest, newest.pages_behind())
            sure = {id_: tag for id_, tag in (before | behind).items() if before.get(id_, tag) == tag}
            yield from _events(newest, newest.pages_behind(), sure)


def _events(image: Image, pages: Pages, tags: Mapping[int, str]) -> Iterator[Event | None]:
    for kind, row in _rows(image, pages, _KINDS):
        match row:
            case [int(stored_ns), int(sensor_id), bytes(valor)] if kind in _KINDS:
                event = _event(stored_ns, tags.get(sensor_id), valor)
                if event or not _is_of_the_index(stored_ns, sensor_id, valor):
                    yield event


def _is_of_the_index(first: int, second: int, text: bytes) -> bool:
    """The index ``minutes_of_sensor`` has a sensor's id, a time and a status."""
    return first < second and text in (b"processado", b"erro")


def _event(stored_ns: int, tag: str | None, valor: bytes) -> Event | None:
    text = valor.decode(errors="replace")
    timestamp_ms = stored_ns // NS_PER_MS
    return Event(timestamp_ms, tag, text) if tag and time_ns(timestamp_ms, text) == stored_ns else None


def _sensors(image: Image, pages: Pages) -> dict[int, str]:
    """The sensors' tags by their ids; where the table does not say, by its index of tags."""
    by_index: dict[int, str] = {}
    by_table: dict[int, str] = {}
    for kind, row in _rows(image, pages, (LEAF, *_KINDS)):
        match row:
            case [int(row_id), None, bytes(country), bytes(region), bytes(sensor), bytes(tag), int(), int()] if (
                kind == LEAF
            ):
                if tag == b".".join((country, region, sensor)):
                    by_table[row_id] = tag.decode(errors="replace")
            case [bytes(tag), int(row_id)] if kind in _KINDS and tag.count(b".") == 2:
                by_index[row_id] = tag.decode(errors="replace")
    return by_index | by_table


def _rows(image: Image, pages: Pages, kinds: tuple[int, ...]) -> Iterator[tuple[int, list[Value]]]:
    for number, page in pages:
        kind = page[0] if page else 0
        if kind not in kinds:
            continue
        for at in cells.starts(page, number) or ():
            try:
                cell = cells.cell(image, page, at, kind)
                yield kind, [*([cell.id] if kind == LEAF else []), *values(cell.payload)]
            except NoRecord:
                continue
