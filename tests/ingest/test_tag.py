import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.reject import Reject
from ingest.tag import Tag, parse_tag


@pytest.mark.parametrize(
    "text", ["brasil.sudeste.sensor01", "a.b.c", "brasil.são-paulo.sensor_1", "中国.北京.传感器", "a" * 64 + ".b.c"]
)
def test_a_good_tag_comes_apart_and_together(text: str) -> None:
    tag = parse_tag(text)
    assert isinstance(tag, Tag), tag
    assert str(tag) == text


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "tag_segments"),
        ("brasil.sudeste", "tag_segments"),
        ("a.b.c.d", "tag_segments"),
        ("brasil..sensor01", "tag_empty_segment"),
        (".b.c", "tag_empty_segment"),
        ("a" * 65 + ".b.c", "tag_too_long"),
        ("a.b.c d", "tag_characters"),
        ("a.b.c,d", "tag_characters"),
        ("a.b.c=d", "tag_characters"),
        ("a.b.c\n", "tag_characters"),
        ("a.b.²", "tag_characters"),
        ("a.b.٣", "tag_characters"),
        ("a.b.\0", "tag_characters"),
    ],
)
def test_a_bad_tag_has_a_reason(text: str, code: str) -> None:
    reject = parse_tag(text)
    assert isinstance(reject, Reject), f"{text!r} was taken as {reject}"
    assert reject.code == code


@given(st.text())
def test_a_tag_that_is_taken_needs_no_escape_in_line_protocol(text: str) -> None:
    if isinstance(parse_tag(text), Tag):
        assert not set(text) & set(" ,=\\\"'\n\r\t\0")
