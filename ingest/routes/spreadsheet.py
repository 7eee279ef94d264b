"""Texts as cells of a spreadsheet, none of which is a formula to it."""

import re
from typing import Final

from ingest.event import number

# What begins a formula, also as Asian keyboards write it, and what is passed over before one.
_SIGNS: Final = "=+\\-@＝＋－＠﹦﹢﹣﹫−"
_BEFORE: Final = (
    "\\x00-\\x08\\x0b\\x0c\\x0e-\\x20\"'\\x7f-\\xa0"
    "\\u00ad\\u1680\\u180e\\u2000-\\u200f\\u2028-\\u202f\\u205f-\\u206f\\u3000\\ufeff"
)
# Where the separator is a semicolon, as in Brazil, or a tab, a cell begins after each of these, quoted or not.
_CELL: Final = "(?:\\A|(?<=[;\\t\\r\\n]))"
_FORMULA: Final = re.compile(f"{_CELL}(?=[{_BEFORE}]*[{_SIGNS}])|\\A(?=['\"]*[\\t\\r\\n])")


def cell(text: str) -> str:
    """``text`` with an apostrophe before all that a spreadsheet could take for a formula; a number stays as it is.

    Without those apostrophes it is the same again: ``docs/http.md`` has the expression that takes them away.
    """
    return text if number(text) is not None else _FORMULA.sub("'", text)
