"""SQLite's records: varints, serial types and the values they stand for.

https://www.sqlite.org/fileformat2.html#record_format
"""

import struct
from collections.abc import Callable

Value = int | float | bytes | None

_INTEGER_BYTES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
_MOST_COLUMNS = 16


class NoRecord(Exception):
    """The bytes are none."""


def varint(data: bytes, at: int) -> tuple[int, int]:
    """The number that stands at ``at``, and where what follows it begins. Raises NoRecord."""
    value = 0
    for position in range(at, at + 9):
        if position >= len(data):
            raise NoRecord
        byte = data[position]
        if position == at + 8:
            return (value << 8 | byte), position + 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, position + 1
    raise NoRecord


def serial_types(head: bytes) -> tuple[list[int], int]:
    """The serial types of a record and where its values begin. Raises NoRecord."""
    size, at = varint(head, 0)
    if not at < size <= len(head):
        raise NoRecord
    types: list[int] = []
    while at < size:
        serial, at = varint(head, at)
        types.append(serial)
    if at != size or len(types) > _MOST_COLUMNS:
        raise NoRecord
    return types, size


def size_of(serial: int) -> int:
    """How many bytes a value of this type takes. Raises NoRecord."""
    if serial >= 12:
        return (serial - 12) // 2
    if serial in (10, 11):
        raise NoRecord
    return 8 if serial == 7 else _INTEGER_BYTES.get(serial, 0)


def values(payload: bytes) -> list[Value]:
    """A record's values, a text as its bytes; what is cut off is shorter than it should be. Raises NoRecord."""
    types, at = serial_types(payload)
    found: list[Value] = []
    for serial in types:
        data = payload[at : at + size_of(serial)]
        found.append(_value(serial, data))
        at += size_of(serial)
    return found


def _value(serial: int, data: bytes) -> Value:
    if serial >= 12:
        return data
    constants: dict[int, Value] = {0: None, 8: 0, 9: 1}
    if serial in constants:
        return constants[serial]
    if len(data) < size_of(serial):
        raise NoRecord
    decode: Callable[[bytes], Value] = _double if serial == 7 else _integer
    return decode(data)


def _double(data: bytes) -> float:
    return float(struct.unpack(">d", data)[0])


def _integer(data: bytes) -> int:
    return int.from_bytes(data, "big", signed=True)
