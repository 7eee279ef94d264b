import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.reject import Reject
from ingest.tag import Tag, are_plain, parse_tag
from tests.ingest.strategies import TAGS


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


SEGMENTS = st.text(st.sampled_from("abZ09_-.,= \n²é"), max_size=6) | st.just("a" * 65)


@given(st.builds("{}.{}.{}".format, SEGMENTS, SEGMENTS, SEGMENTS) | TAGS | st.text())
def test_law_the_plain_ones_are_those_of_ascii_that_are_taken(text: str) -> None:
    assert are_plain([text]) is (isinstance(parse_tag(text), Tag) and text.isascii())


def test_many_are_plain_if_each_of_them_is() -> None:
    assert are_plain(["a.b.c", "a.b.d"])
    assert not are_plain(["a.b.c", "a.b"])
