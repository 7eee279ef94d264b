"""Help that fits the terminal: prose flows, examples and tables keep their lines."""

import re
from collections.abc import Iterator
from itertools import groupby
from textwrap import wrap


def fitted(paragraph: str, width: int, indent: str) -> Iterator[str]:
    """The lines of a paragraph; those that are indented keep their breaks."""
    for kept, lines in groupby(paragraph.splitlines(), key=lambda line: line.startswith(" ")):
        if kept:
            yield from _fitted_columns(list(lines), width)
        else:
            yield from wrap(" ".join(lines), width, initial_indent=indent, subsequent_indent=indent)


def _fitted_columns(lines: list[str], width: int) -> Iterator[str]:
    """Commands and their comments, two columns with three spaces between; comments go below if one is too long."""
    if all(len(line) <= width for line in lines):
        yield from lines
        return
    for line in lines:
        command, *comment = re.split(r"(?<=\S) {3,}", line, maxsplit=1)
        yield command
        if comment:
            yield from wrap(comment[0], width, initial_indent=" " * 6, subsequent_indent=" " * 6)
