"""The cells of a page, that is, the rows of a table, whatever of the page is broken.

https://www.sqlite.org/fileformat2.html#b_tree_pages
"""

from collections.abc import Iterator
from typing import NamedTuple

from ingest.salvage.image import Image
from ingest.salvage.record import NoRecord, varint

LEAF = 0x0D
INDEX_LEAF = 0x0A
# The rows of a table without row ids stand in its inner pages, too.
INDEX_INTERIOR = 0x02
_CHILD_BYTES = 4
_FILE_HEADER_BYTES = 100


class Cell(NamedTuple):
    """A row and its record; ``is_cut`` where its overflow pages break off."""

    id: int
    payload: bytes
    is_cut: bool


def starts(page: bytes, number: int) -> list[int] | None:
    """Where the page says that its cells are; None if it makes no sense."""
    at = _FILE_HEADER_BYTES if number == 1 else 0
    count = int.from_bytes(page[at + 3 : at + 5], "big")
    first = at + 8 + (_CHILD_BYTES if page[at] == INDEX_INTERIOR else 0)
    if first + 2 * count > len(page):
        return None
    pointers = page[first : first + 2 * count]
    return [int.from_bytes(pointers[i : i + 2], "big") for i in range(0, len(pointers), 2)]


def cell(image: Image, page: bytes, at: int, kind: int) -> Cell:
    """The cell at ``at`` of a leaf. Raises NoRecord if there is none."""
    size, position = varint(page, at + (_CHILD_BYTES if kind == INDEX_INTERIOR else 0))
    row_id = 0
    if kind == LEAF:
        row_id, position = varint(page, position)
    usable = len(page)
    local = _local(size, usable, usable - 35 if kind == LEAF else (usable - 12) * 64 // 255 - 23)
    here = page[position : position + local]
    if len(here) < local or size > image.most_bytes:
        raise NoRecord
    if local == size:
        return Cell(row_id, here, is_cut=False)
    first = int.from_bytes(page[position + local : position + local + 4], "big")
    rest = image.overflow(first, size - local)
    return Cell(row_id, here + rest, is_cut=local + len(rest) < size)


def head(page: bytes, at: int, kind: int) -> bytes:
    """The beginning of the record at ``at``, to see whether it is worth following its overflow pages."""
    _, position = varint(page, at)
    if kind == LEAF:
        _, position = varint(page, position)
    return page[position : position + 64]


def everywhere(page: bytes) -> Iterator[int]:
    """Every place where a cell might be, for a page that does not say."""
    yield from range(8, len(page) - 8)


def _local(size: int, usable: int, most: int) -> int:
    if size <= most:
        return size
    least = (usable - 12) * 32 // 255 - 23
    local = least + (size - least) % (usable - 4)
    return local if local <= most else least
