"""Reading the lines of a file, one by one, whatever is wrong with some of them."""

import gzip
import json
import os
import zlib
from collections.abc import Callable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import IO, Annotated, Final

import msgspec

from loadgen.replay.files import STDIN
from loadgen.replay.problems import Problems

LONGEST_LINE_BYTES: Final = 16 * 2**20
LINES_A_MARK: Final = 1000
BOM: Final = b"\xef\xbb\xbf"


class Line(msgspec.Struct, frozen=True, gc=False):
    """One recorded event as it stands there, with a newline; ``timestamp`` in Unix ms."""

    raw: bytes
    timestamp: int
    file: Path
    number: int


class _Stamped(msgspec.Struct, gc=False):
    # No time that is further away can be reckoned with.
    timestamp: Annotated[int, msgspec.Meta(ge=-(2**62), le=2**62)]


def read(file: Path, problems: Problems, read_to: Callable[[Path, int], None]) -> Iterator[Line]:
    """The file's good lines; the others go to ``problems``. ``read_to`` hears how many bytes of it are read."""
    try:
        with _opened(file) as raw:
            yield from _lines(file, _unpacked(file, raw), problems, lambda: read_to(file, _position(raw)))
    except OSError as error:
        # What gzip finds wrong is an OSError without a number.
        problems.broken_file(file, error.strerror or str(error))
    except (EOFError, zlib.error):
        problems.broken_file(file, "it ends too early, or is damaged")


def _lines(file: Path, content: BufferedReader, problems: Problems, mark: Callable[[], None]) -> Iterator[Line]:
    decode = msgspec.json.Decoder(_Stamped).decode
    # In the middle of a request ingest would refuse it.
    if content.peek(len(BOM)).startswith(BOM):
        content.read(len(BOM))
    for number, raw in enumerate(iter(lambda: content.readline(LONGEST_LINE_BYTES), b""), 1):
        if number % LINES_A_MARK == 0:
            mark()
        try:
            timestamp = decode(raw).timestamp
        except (msgspec.DecodeError, RecursionError) as error:
            seen = _seen_closer(raw)
            if seen is None:
                _note(file, number, raw, error, problems)
                if _is_cut(raw):
                    _skip_line(content)
                continue
            timestamp = seen
        yield Line(raw if raw.endswith(b"\n") else raw + b"\n", timestamp, file, number)
    mark()


def _seen_closer(raw: bytes) -> int | None:
    """The timestamp of a line that only ingest's thorough decoder takes, for it has lone surrogates; else None."""
    try:
        members = json.loads(raw.decode())
        return msgspec.convert({"timestamp": members["timestamp"]}, _Stamped).timestamp
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _note(file: Path, number: int, raw: bytes, error: Exception, problems: Problems) -> None:
    if _is_cut(raw):
        problems.bad_line(file, number, f"it has {LONGEST_LINE_BYTES:,} bytes or more")
    elif isinstance(error, RecursionError):
        problems.bad_line(file, number, "nested too deeply")
    elif not raw.endswith(b"\n"):
        problems.torn_line(file, number)
    elif raw.strip():
        problems.bad_line(file, number, str(error))


def _is_cut(raw: bytes) -> bool:
    return len(raw) == LONGEST_LINE_BYTES and not raw.endswith(b"\n")


def _skip_line(content: IO[bytes]) -> None:
    while (rest := content.readline(LONGEST_LINE_BYTES)) and not rest.endswith(b"\n"):
        pass


def _opened(file: Path) -> BufferedReader:
    # Of standard input as much as is there is taken at a time, for it may be a pipe that goes on for days.
    return os.fdopen(os.dup(0), "rb") if file == STDIN else file.open("rb")


def _unpacked(file: Path, raw: BufferedReader) -> BufferedReader:
    if file.suffix != ".gz":
        return raw
    if not raw.peek(1):
        raise gzip.BadGzipFile("it is empty, which no .gz file is")
    return gzip.GzipFile(fileobj=raw)  # type: ignore[return-value]


def _position(raw: IO[bytes]) -> int:
    return raw.tell() if raw.seekable() else 0
