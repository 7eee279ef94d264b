"""A JSON array, element by element: no more of it lies in memory as values than its longest element."""

import json
import re
from collections.abc import Iterator
from typing import Any

from ingest.decode.json_text import SCAN
from ingest.decode.limits import ItemLimits
from ingest.reject import Reject

_BLANKS = re.compile(r"[ \t\r\n]*")
# A token that a window cuts goes wrong this close to its end: \ud83d\ude00 is the longest but for strings.
_TOKEN_CHARACTERS = 16
_STRUCTURE = re.compile(r'"[^"\\]*+(?>(?:\\.[^"\\]*+)*)"|["\[\]{}]', re.DOTALL)
_NO_STRUCTURE = re.compile(r"[^,\]\s]*")


def elements(text: str, limits: ItemLimits) -> Iterator[tuple[Any | Reject, str]]:
    """The value and the text of each element; of one that is too long, a Reject and nothing.

    Raises json.JSONDecodeError, as ``json.loads`` would, RecursionError, or what the hooks of SCAN raise.
    """
    window = _Window(text, limits)
    at = _past_blanks(text, _past_blanks(text, 0) + 1)
    ended = text.startswith("]", at)
    while not ended:
        value, end = window.scan(at)
        yield value, "" if isinstance(value, Reject) else text[at:end]
        at = _past_blanks(text, end)
        ended = text.startswith("]", at)
        if not ended:
            if not text.startswith(",", at):
                raise json.JSONDecodeError("Expecting ',' delimiter", text, at)
            at = _past_blanks(text, at + 1)
    at = _past_blanks(text, at + 1)
    if at != len(text):
        raise json.JSONDecodeError("Extra data", text, at)


class _Window:
    """What the scanner sees of a text: it would make values of a whole element before anybody knew how long that is."""

    def __init__(self, text: str, limits: ItemLimits) -> None:
        self._text = text
        self._limits = limits
        self._longest = limits.max_line_bytes
        self._move_to(0)

    def scan(self, at: int) -> tuple[Any | Reject, int]:
        if at - self._start > self._longest:
            self._move_to(at)
        try:
            value, end = SCAN(self._seen, at - self._start)
        except json.JSONDecodeError as error:
            if self._cuts(error):
                return self._limits.too_long(), _end(self._text, at)
            raise json.JSONDecodeError(error.msg, self._text, self._start + error.pos) from None
        end += self._start
        return (self._limits.too_long() if end - at > self._longest else value), end

    def _move_to(self, start: int) -> None:
        self._start = start
        self._seen = self._text[start : start + 2 * self._longest]

    def _cuts(self, error: json.JSONDecodeError) -> bool:
        is_last = self._start + len(self._seen) == len(self._text)
        at_end = error.pos >= len(self._seen) - _TOKEN_CHARACTERS
        return not is_last and (at_end or error.msg.startswith("Unterminated string"))


def _end(text: str, at: int) -> int:
    """Where the value at ``at`` ends, by its brackets alone."""
    if text[at] not in '"[{':
        match = _NO_STRUCTURE.match(text, at)
        return match.end() if match else at
    depth = 0
    for found in _STRUCTURE.finditer(text, at):
        mark = found.group()
        if mark == '"':
            raise json.JSONDecodeError("Unterminated string starting at", text, found.start())
        depth += (mark in "[{") - (mark in "]}")
        if depth == 0:
            return found.end()
    raise json.JSONDecodeError("Expecting ',' delimiter", text, len(text))


def _past_blanks(text: str, at: int) -> int:
    match = _BLANKS.match(text, at)
    return match.end() if match else at
