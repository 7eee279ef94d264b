"""What a valor makes of its event's line: the status and the field before the time, and the end of the time."""

from collections.abc import Sequence
from itertools import compress
from zlib import crc32

import msgspec

from ingest.event import ERRO, NS_PER_MS, PROCESSADO, number

_VALUE = f"{PROCESSADO} value=".encode()


def heads(valores: list[str]) -> list[bytes]:
    """Of each the status, the field, and the blank after it: ``processado value=23.5 ``."""
    found = _heads_of_numbers(valores)
    if found is not None:
        return found
    may_be_numbers = [valor[-1:].isdigit() for valor in valores]
    numbers = iter(_heads_of_numbers(list(compress(valores, may_be_numbers))) or ())
    return [
        (next(numbers, b"") if may_be else b"") or _head(valor)
        for valor, may_be in zip(valores, may_be_numbers, strict=True)
    ]


def tails(valores: list[str]) -> list[bytes]:
    """Of each the six digits of its place in the millisecond, and a newline."""
    # A one before the six digits keeps the noughts that they begin with.
    offsets = [NS_PER_MS + offset for offset in offsets_ns(valores)]
    ended = msgspec.json.encode(offsets)[1:].replace(b",1", b"\n").replace(b"]", b"\n")
    return ended[1:].splitlines(keepends=True)


def escape_string(text: str) -> str:
    """``text`` as it stands between the quotes of a string field."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def offsets_ns(valores: list[str]) -> list[int]:
    """``offset_ns`` of each."""
    return [crc32(valor) % NS_PER_MS for valor in map(str.encode, valores)]


def numbers(valores: list[str]) -> Sequence[float | None]:
    """``number`` of each."""
    return numbers_at_once(",".join(valores), len(valores)) or list(map(number, valores))


def numbers_at_once(texts: str, number_of_texts: int) -> list[float] | None:
    """The values of so many texts, with commas between them, if all are plain numbers and as JSON has them, too."""
    # JSON takes blanks round a number, and the library takes -0 for 0.
    if texts.split(None, 1) != [texts] or ",-0," in f",{texts},":
        return None
    try:
        values = msgspec.json.decode(f"[{texts}]", type=list[float])
    except ValueError:
        return None
    return values if len(values) == number_of_texts else None


def _heads_of_numbers(valores: list[str]) -> list[bytes] | None:
    values = numbers_at_once(",".join(valores), len(valores))
    if values is None:
        return None
    shown = msgspec.json.encode(values)
    if b"e" in shown or b"0.0000" in shown:
        # There the library writes other digits than Python does.
        shown = f"[{','.join(map(repr, values))}]".encode()
    return (_VALUE + shown[1:-1].replace(b",", b" ," + _VALUE) + b" ").split(b",")


def _head(valor: str) -> bytes:
    value = number(valor)
    status = PROCESSADO if valor else ERRO
    field = f'text="{escape_string(valor)}"' if value is None else f"value={value!r}"
    return f"{status} {field} ".encode()
