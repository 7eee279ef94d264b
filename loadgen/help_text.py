"""Help that fits the terminal: prose flows, examples and tables keep their lines."""

import re
from collections.abc import Iterator
from itertools import groupby
from textwrap import wrap


def fitted(paragraph: str, width: int, indent: str) -> Iterator[str]:
    """The lines of a paragraph; those that are indented keep their breaks."""
    for kept, lines in groupby(paragraph.splitlines(), key=lambda line: line.startswith(" ")):
        if not kept:
            yield from wrap(" ".join(lines), width, initial_indent=indent, subsequent_indent=indent)
            continue
        for line in lines:
            yield from _columns(line, width)


def _columns(line: str, width: int) -> Iterator[str]:
    """A line of a command and its comment, three spaces apart; the comment goes below if it is too long."""
    command, *comment = re.split(r"(?<=\S) {3,}", line, maxsplit=1)
    if len(line) <= width or not comment:
        yield line
        return
    yield command
    yield from wrap(comment[0], width, initial_indent=" " * 6, subsequent_indent=" " * 6)
