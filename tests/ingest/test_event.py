import math
import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.event import number, shortest, status_of, time_ns

PLAIN_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


@pytest.mark.parametrize(
    ("valor", "value"),
    [
        ("-12", -12.0),
        ("3.5", 3.5),
        ("1e6", 1e6),
        ("0", 0.0),
        ("-0.0", -0.0),
        ("+5", 5.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("007", 7.0),
    ],
)
def test_plain_decimal_numbers_are_numeric(valor: str, value: float) -> None:
    assert number(valor) == value


@pytest.mark.parametrize(
    "valor",
    [
        "nan",
        "inf",
        "-Infinity",
        "1_000",
        "٣",
        "0x10",
        "12,5",
        " 1",
        "1 ",
        "1\n",
        "",
        "-",
        ".",
        "1e",
        "1e999",
        "--1",
        "１",
        "1\0",
    ],
)
def test_everything_else_is_text(valor: str) -> None:
    assert number(valor) is None


@given(st.one_of(st.text(), st.from_regex(PLAIN_DECIMAL, fullmatch=True), st.text("0123456789+-._eE ")))
@example("1" * 400)
def test_numeric_is_what_the_grammar_says(valor: str) -> None:
    grammar_says = bool(PLAIN_DECIMAL.fullmatch(valor)) and valor.isascii() and math.isfinite(float(valor))
    assert (number(valor) is not None) is grammar_says


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_shortest_form_reads_back_as_the_same_number(value: float) -> None:
    assert number(shortest(value)) == value


@pytest.mark.parametrize(("value", "text"), [(23.5, "23.5"), (5.0, "5"), (1e6, "1000000"), (0.1, "0.1"), (-0.0, "0")])
def test_shortest_form(value: float, text: str) -> None:
    assert shortest(value) == text


@given(st.integers(0, 2**42), st.text())
def test_a_point_stays_in_its_millisecond(timestamp_ms: int, valor: str) -> None:
    assert time_ns(timestamp_ms, valor) // 1_000_000 == timestamp_ms


def test_different_values_of_one_millisecond_become_different_points() -> None:
    readings = [f"{tenths / 10}" for tenths in range(-500, 1500)]
    neighbours = [(a, b) for a, b in pairwise(readings) if time_ns(1, a) == time_ns(1, b)]
    assert neighbours == []


def test_the_offset_is_part_of_the_stored_data_and_must_never_change() -> None:
    assert [time_ns(1, valor) for valor in ("", "23.5", "açaí")] == [1_000_000, 1_742_896, 1_093_284]


def test_status() -> None:
    assert (status_of("0"), status_of("")) == ("processado", "erro")
