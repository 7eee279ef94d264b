"""What a valor makes of its event's line: the status and the field before the time, and the end of the time."""

from itertools import compress, islice
from zlib import crc32

import msgspec

from ingest.event import ERRO, NS_PER_MS, PROCESSADO, number

_MAX_REMEMBERED = 20_000
_MAX_REMEMBERED_CHARACTERS = 24
_NUMBERS = msgspec.json.Decoder(list[float])
_VALUE = f"{PROCESSADO} value=".encode()


class Fields:
    """Remembers them, for readings of few digits recur. Any thread may use it: what is remembered never changes."""

    def __init__(self, most: int = _MAX_REMEMBERED) -> None:
        self._most = most
        self._heads: dict[str, bytes] = {}
        self._tails: dict[str, bytes] = {}

    def columns(self, valores: list[str]) -> tuple[list[bytes], list[bytes]]:
        """Of each valor the head (``processado value=23.5 ``) and the tail (six digits of nanoseconds, a newline)."""
        heads, tails = self._heads, self._tails
        try:
            return list(map(heads.__getitem__, valores)), list(map(tails.__getitem__, valores))
        except KeyError:
            new = [valor for valor in set(valores) if valor not in heads or valor not in tails]
        new_heads, new_tails = dict(zip(new, _heads(new), strict=True)), dict(zip(new, _tails(new), strict=True))
        self._remember(new_heads, new_tails)
        return (
            [heads.get(valor) or new_heads[valor] for valor in valores],
            [tails.get(valor) or new_tails[valor] for valor in valores],
        )

    def parts(self, valor: str) -> tuple[bytes, bytes]:
        """The head and the tail of a single one."""
        head, tail = self._heads.get(valor), self._tails.get(valor)
        if head and tail:
            return head, tail
        (head,), (tail,) = self.columns([valor])
        return head, tail

    def _remember(self, heads: dict[str, bytes], tails: dict[str, bytes]) -> None:
        if max(map(len, heads), default=0) > _MAX_REMEMBERED_CHARACTERS:
            short = [valor for valor in heads if len(valor) <= _MAX_REMEMBERED_CHARACTERS]
            heads, tails = {valor: heads[valor] for valor in short}, {valor: tails[valor] for valor in short}
        if len(self._heads) + len(heads) > self._most:
            # Others may be reading them.
            self._heads, self._tails = {}, {}
        self._heads.update(islice(heads.items(), self._most))
        self._tails.update(islice(tails.items(), self._most))


def escape_string(text: str) -> str:
    """``text`` as it stands between the quotes of a string field."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _heads(valores: list[str]) -> list[bytes]:
    heads = _heads_of_numbers(valores)
    if heads is not None:
        return heads
    may_be_numbers = [valor[-1:].isdigit() for valor in valores]
    found = iter(_heads_of_numbers(list(compress(valores, may_be_numbers))) or ())
    return [
        (next(found, b"") if may_be else b"") or _head(valor)
        for valor, may_be in zip(valores, may_be_numbers, strict=True)
    ]


def _heads_of_numbers(valores: list[str]) -> list[bytes] | None:
    """Of all at once, where all are plain numbers as JSON has them, too."""
    text = ",".join(valores)
    # JSON takes blanks round a number, and the library takes -0 for 0.
    if text.split(None, 1) != [text] or ",-0," in f",{text},":
        return None
    try:
        values = _NUMBERS.decode(f"[{text}]")
    except ValueError:
        return None
    if len(values) != len(valores):
        return None
    shown = msgspec.json.encode(values)
    if b"e" in shown or b"0.0000" in shown:
        # There it writes other digits than Python does.
        shown = f"[{','.join(map(repr, values))}]".encode()
    return (_VALUE + shown[1:-1].replace(b",", b" ," + _VALUE) + b" ").split(b",")


def _head(valor: str) -> bytes:
    value = number(valor)
    status = PROCESSADO if valor else ERRO
    field = f'text="{escape_string(valor)}"' if value is None else f"value={value!r}"
    return f"{status} {field} ".encode()


def _tails(valores: list[str]) -> list[bytes]:
    # A one before the six digits keeps the noughts that they begin with.
    offsets = [crc32(valor) % NS_PER_MS + NS_PER_MS for valor in map(str.encode, valores)]
    ended = msgspec.json.encode(offsets)[1:].replace(b",1", b"\n").replace(b"]", b"\n")
    return ended[1:].splitlines(keepends=True)
