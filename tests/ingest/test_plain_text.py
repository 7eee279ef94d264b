import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.plain_text import plain, plain_lines


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("São Paulo – 23,5 °C", "São Paulo – 23,5 °C"),
        ("\x1b]0;pwned\x07", r"\x1b]0;pwned\x07"),
        ("a\u202eb\x9bc", r"a\u202eb\x9bc"),
        ("a\nb", r"a\nb"),
        ("\ud800", r"\ud800"),
    ],
)
def test_what_is_shown(text: str, expected: str) -> None:
    assert plain(text) == expected


@given(st.text(st.characters(codec=None)))
def test_whatever_it_is_it_can_be_printed(text: str) -> None:
    assert plain(text).isprintable()
    assert all(line.isprintable() for line in plain_lines(text).split("\n"))
    assert plain_lines(text).count("\n") == text.count("\n")
