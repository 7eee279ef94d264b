import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.plain_text import plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the tag has 2 parts, not 3", "the tag has 2 parts, not 3"),
        ("é  ü", "é  ü"),
        ("\x1b]0;pwned\x07", "�]0;pwned�"),
        ("<html>\r\n\t<body>\n", "<html> <body>"),
        ("a\u202eb", "a�b"),
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 199 + "…"),
        ("x" + "\n" * 5000, "x…"),
    ],
)
def test_what_is_left_of_a_text(text: str, expected: str) -> None:
    assert plain(text) == expected


@given(st.text(st.characters(codec=None), max_size=1000))
def test_whatever_it_is_it_can_be_printed(text: str) -> None:
    shown = plain(text)
    assert shown.isprintable()
    assert len(shown) <= 200
    assert plain(shown) == shown
