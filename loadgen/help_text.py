"""Help that fits the terminal: prose flows, examples and tables keep their lines."""

import re
from collections.abc import Iterator
from itertools import groupby
from textwrap import wrap
from typing import Final

BELOW: Final = " " * 6


def fitted(paragraph: str, width: int, indent: str) -> Iterator[str]:
    """The lines of a paragraph; those that are indented keep their breaks."""
    for kept, lines in groupby(paragraph.splitlines(), key=lambda line: line.startswith(" ")):
        if kept:
            yield from _fitted_columns(list(lines), width)
        else:
            yield from wrap(" ".join(lines), width, initial_indent=indent, subsequent_indent=indent)


def _fitted_columns(lines: list[str], width: int) -> Iterator[str]:
    """Names and what is said of them, two columns; all of the second goes below if a line is too long."""
    if all(len(line) <= width for line in lines):
        yield from lines
        return
    for line in lines:
        name, *said = re.split(r"(?<=\S) {2,}", line, maxsplit=1)
        yield from wrap(name, width, subsequent_indent=" " * (len(name) - len(name.lstrip())))
        yield from (
            below for text in said for below in wrap(text, width, initial_indent=BELOW, subsequent_indent=BELOW)
        )
