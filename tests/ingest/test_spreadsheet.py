"""Texts in the CSV answer, as the spreadsheets of the world read it."""

import csv
import io
import re
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.event import number
from ingest.routes.rows import CsvRows
from ingest.routes.spreadsheet import cell
from ingest.store import StoredEvent
from tests.ingest.strategies import TAGS, VALORES

SIGNS = "=+-@＝＋－＠"
DOCS = (Path(__file__).parents[2] / "docs" / "http.md").read_text()
HOSTILE = st.text(st.sampled_from("=+-@＝＋－＠;,\t\r\n '\"\0\ufeff\u200b1aA|!"), max_size=12)


def parsed(text: str, delimiter: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def as_csv(*events: StoredEvent) -> str:
    return CsvRows().page(events).decode()


def is_evaluated(shown: str) -> bool:
    """Whether some spreadsheet would run the cell: blanks and quotes before the sign are passed over by some."""
    bare = shown.lstrip('\0\ufeff\u200b "\t\r\n')
    return number(shown) is None and bare.startswith(tuple(SIGNS))


@given(st.one_of(HOSTILE, VALORES), TAGS)
@example("x;=1+1", "-1.b.c")
@example("\t", "a.b.c")
def test_no_cell_is_a_formula_with_any_separator(valor: str, tag: str) -> None:
    text = as_csv(StoredEvent(1_000_000, tag, valor))
    assert not any(shown.startswith(("\t", "\r", "\n")) for row in parsed(text, ",") for shown in row), text
    for delimiter in (",", ";", "\t"):
        for row in parsed(text, delimiter):
            for shown in row:
                assert not is_evaluated(shown), f"{valor!r} became {text!r}, in which {shown!r} is a formula"


@given(st.one_of(HOSTILE, VALORES))
@example("''=1")
def test_the_texts_can_be_had_back_as_the_docs_say(valor: str) -> None:
    (undo,) = re.findall(r're\.sub\(r"""(.*)""", "", text\)', DOCS)
    assert re.sub(undo, "", cell(valor)) == valor


@pytest.mark.parametrize(
    ("valor", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("-1-2", "'-1-2"),
        ("@SUM(1)", "'@SUM(1)"),
        (" =1", "' =1"),
        ("'=1", "''=1"),
        ("＝1+1", "'＝1+1"),
        ("-1e400", "'-1e400"),
        ("x;=1;2;+3", "x;'=1;2;'+3"),
        ("x\n=1", "x\n'=1"),
        ("\tx", "'\tx"),
    ],
)
def test_formulas_get_an_apostrophe(valor: str, shown: str) -> None:
    assert cell(valor) == shown


@pytest.mark.parametrize("valor", ["-12", "-3.5e-7", "+5", "a-b", "a = b", "1,-2", "it's", "'q'", "", "[1,-2]"])
def test_numbers_and_harmless_texts_stay_as_they_are(valor: str) -> None:
    assert cell(valor) == valor


@pytest.mark.parametrize("character", [*"\n\t\r ;'\"=\0", "\n;", "; "])
def test_no_text_takes_long(character: str) -> None:
    started = time.process_time()
    cell(character * 65_536)
    assert time.process_time() - started < 1, f"{character!r} again and again"
