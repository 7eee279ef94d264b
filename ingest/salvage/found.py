"""What a damaged file of the spool still holds, told apart by its shape and checked by its checksum."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from ingest.minutes import Mark
from ingest.salvage import cells
from ingest.salvage.cells import INDEX_LEAF, LEAF, Cell
from ingest.salvage.image import Image
from ingest.salvage.record import NoRecord, Value, serial_types, values
from ingest.spool.damaged_rows import DamagedRow
from ingest.spool.dead_letter import DeadLetter
from ingest.spool.dirty_minutes import DirtyMinute
from ingest.spool.rows import UNCHECKED, Row, is_whole

_CUT = "it was cut off"
_WRONG = "its checksum is wrong"
_INTEGERS = frozenset({1, 2, 3, 4, 5, 6, 8, 9})
_NULL = 0


class Unreadable(msgspec.Struct, frozen=True):
    """A row, or a page of them, of which nothing can be said."""


class Totals(msgspec.Struct, frozen=True):
    """How many points the file says it held."""

    points: int


class _Other(msgspec.Struct, frozen=True):
    """A row of a table that need not be saved."""


Found = Row | DeadLetter | DamagedRow | DirtyMinute | Totals | Unreadable


def found_in(path: Path, stopped: Callable[[], bool] = lambda: False, *, only_behind: bool = False) -> Iterator[Found]:
    """Everything, in the file's order: as SQLite itself would read it, then what is only behind a break of its log.

    ``only_behind`` leaves out the first. Rows that left the spool already may be among it. Ends early if ``stopped``.
    """
    with Image(path) as image, Image(path, newest=True) as newest:
        behind = _Behind(_found_on_all(newest, newest.pages_behind(), stopped))
        if not only_behind:
            for thing in _found_on_all(image, image.pages(), stopped):
                behind.remove(thing)
                if not behind.has_whole(thing):
                    yield thing
        for thing in _found_on_all(newest, newest.pages_behind(), stopped):
            if behind.still_has(thing) and not behind.has_whole(thing):
                behind.remove(thing)
                yield thing


class _Behind:
    """What stands behind the log's break and nowhere before it, as far as it can be told apart."""

    def __init__(self, found: Iterable[Found]) -> None:
        self._found: set[_Identity] = set()
        self._whole: set[int] = set()
        for thing in found:
            self._found |= {identity for identity in (_identity(thing),) if identity}
            self._whole |= {thing.id} if isinstance(thing, Row) else set()

    def remove(self, thing: Found) -> None:
        identity = _identity(thing)
        if identity:
            self._found.discard(identity)
        if isinstance(thing, Row):
            self._found.discard(_Identity("damaged", thing.id))

    def still_has(self, thing: Found) -> bool:
        identity = _identity(thing)
        return identity in self._found if identity else not isinstance(thing, Totals)

    def has_whole(self, thing: Found) -> bool:
        """Whether ``thing`` is a damaged row that is whole here."""
        return isinstance(thing, DamagedRow) and _is_of_a_row(thing) and thing.id in self._whole


class _Identity(NamedTuple):
    kind: str
    id: int
    crc: int = 0


def _identity(thing: Found) -> _Identity | None:
    match thing:
        case Row():
            return _Identity("row", thing.id, thing.crc)
        case DeadLetter():
            return _Identity("letter", thing.id)
        case DamagedRow():
            return _Identity("damaged" if _is_of_a_row(thing) else "kept", thing.id)
        case _:
            return None


def _found_on_all(image: Image, pages: Iterable[tuple[int, bytes]], stopped: Callable[[], bool]) -> Iterator[Found]:
    free = image.free_pages()
    for number, page in pages:
        if stopped():
            return
        if page:
            yield from _found_on(image, page, number, number in free)


def _found_on(image: Image, page: bytes, number: int, is_free: bool) -> Iterator[Found]:
    kind = page[100] if number == 1 else page[0]
    as_index = kind == INDEX_LEAF
    starts = cells.starts(page, number)
    things = [_thing(image, page, at, INDEX_LEAF if as_index else LEAF) for at in starts or ()]
    if kind == LEAF and not is_free and (not things or not all(map(_is_good, things))):
        # The places may be what is broken: look everywhere for what is whole.
        good = filter(_is_good, (_thing(image, page, at, LEAF) for at in cells.everywhere(page)))
        yield from (thing for thing in good if not isinstance(thing, _Other))
        yield from (thing for thing in things if isinstance(thing, DamagedRow | Unreadable))
        if starts is None:
            yield Unreadable()
        return
    yield from (thing for thing in things if _is_good(thing) and not isinstance(thing, _Other))


def _is_good(thing: Found | _Other) -> bool:
    return not isinstance(thing, Unreadable) and not (isinstance(thing, DamagedRow) and _is_of_a_row(thing))


def _is_of_a_row(damaged: DamagedRow) -> bool:
    """Whether it is damaged now, and was not kept apart before."""
    return damaged.crc is not None


def _thing(image: Image, page: bytes, at: int, kind: int) -> Found | _Other:
    try:
        types, _ = serial_types(cells.head(page, at, kind))
        if not _has_a_shape(types, kind):
            return _Other() if _is_of_another_table(types) else Unreadable()
        cell = cells.cell(image, page, at, kind)
        return _read(cell, values(cell.payload), kind)
    except NoRecord:
        return Unreadable()


def _is_of_another_table(types: Sequence[int]) -> bool:
    """SQLite's own, the number of dirty minutes, the known series."""
    shape = "".join("i" if serial in _INTEGERS else "t" if _is_text(serial) else "n" for serial in types)
    return shape in ("i", "n", "ti", "tttit")


def _has_a_shape(types: Sequence[int], kind: int) -> bool:
    if kind == INDEX_LEAF:
        return len(types) == 3 and types[0] in _INTEGERS and _is_text(types[1]) and types[2] in _INTEGERS
    if len(types) == 3:
        return set(types) <= _INTEGERS
    if len(types) not in (4, 5, 6) or types[0] != _NULL or types[1] not in _INTEGERS:
        return False
    return _is_letter(types) or _is_damaged(types) or _is_row(types)


def _is_row(types: Sequence[int]) -> bool:
    return len(types) in (5, 6) and {*types[2:4], *types[5:]} <= _INTEGERS and _is_blob(types[4])


def _is_letter(types: Sequence[int]) -> bool:
    return len(types) in (4, 5) and _is_text(types[2]) and _is_blob(types[3]) and {*types[4:]} <= _INTEGERS


def _is_damaged(types: Sequence[int]) -> bool:
    return len(types) == 5 and _is_text(types[2])


def _is_text(serial: int) -> bool:
    return serial >= 13 and serial % 2 == 1


def _is_blob(serial: int) -> bool:
    return serial >= 12 and serial % 2 == 0


def _read(cell: Cell, found: Sequence[Value], kind: int) -> Found:
    match found:
        case [int(minute_ms), bytes(tag), int(marked)] if kind == INDEX_LEAF:
            return DirtyMinute(Mark(minute_ms, tag.decode(errors="replace")), marked)
        case [int(points), int(), int()] if kind == LEAF:
            return Totals(points)
        case [None, int(time_ms), int(points), int(size), bytes(lines), *rest] if len(rest) < 2:
            row = Row(cell.id, time_ms, points, lines, *(one if isinstance(one, int) else 0 for one in rest))
            return _checked(row, size, cell)
        case [None, int(time_ms), bytes(reason), bytes(line), *_] if not cell.is_cut:
            return DeadLetter(line, reason.decode(errors="replace"), time_ms, cell.id)
        case [None, int(), bytes(reason), points, lines]:
            return DamagedRow(cell.id, reason.decode(errors="replace"), points, lines)
    return Unreadable()


def _checked(row: Row, size: int, cell: Cell) -> Row | DamagedRow:
    if not cell.is_cut and is_whole(row, size) and (row.crc != UNCHECKED or row.lines.endswith(b"\n")):
        return row
    return DamagedRow(cell.id, _CUT if cell.is_cut else _WRONG, row.points, row.lines, row.crc)
