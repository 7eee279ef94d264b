import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import line_parser
from ingest.line_parser import (
    BadLine,
    Line,
    field_refusal,
    parse_fields,
    parse_lines,
    parse_tags,
    split_lines,
    unescape_key,
    unescape_string,
)
from ingest.reject import Reject


def only(body: bytes) -> Line | BadLine:
    (line,) = parse_lines(body)
    return line


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (b"m v=1", Line(b"m", b"v=1", None)),
        (b"m,a=b,c=d v=1,w=2i 12", Line(b"m,a=b,c=d", b"v=1,w=2i", 12)),
        (b"m v=1 -5\r\n", Line(b"m", b"v=1", -5)),
        (b"  m   v=1   12  \n", Line(b"m", b"v=1", 12)),
        (b'm v="a b,c=\\"d\\" \n e" 3', Line(b"m", b'v="a b,c=\\"d\\" \n e"', 3)),
        (rb"my\ m\,x,a\ b\==c\,d f\ g=t", Line(rb"my\ m\,x,a\ b\==c\,d", rb"f\ g=t", None)),
        (b'm,a="quoted" v=1', Line(b'm,a="quoted"', b"v=1", None)),
        (
            b"m v=1u,w=-1i,x=.5,y=5.,z=-1.5e-3,t=t,f=False",
            Line(b"m", b"v=1u,w=-1i,x=.5,y=5.,z=-1.5e-3,t=t,f=False", None),
        ),
        (b"m v=0000000000000000000000000000000000000000000000001i", Line(b"m", b"v=" + b"0" * 48 + b"1i", None)),
    ],
)
def test_a_line_that_parses(body: bytes, line: Line) -> None:
    assert only(body) == line


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b",a=b v=1", "missing measurement"),
        (b"m", "missing fields"),
        (b"m,a=b", "missing fields"),
        (b"m,=b v=1", "missing tag key"),
        (b"m,a v=1", "missing tag value"),
        (b"m bad", "invalid field format"),
        (b"m v=1,", "invalid field format"),
        (b"m v=", "missing field value"),
        (b"m v=nan", "invalid number"),
        (b"m v=1.2.3", "invalid number"),
        (b"m v=1t", "invalid number"),
        (b"m v=maybe", "invalid boolean"),
        (b"m v=1e400", "invalid float"),
        (b"m v=9223372036854775808i", "value out of range"),
        (b"m v=-1u", "invalid number"),
        (b'm v="abc', "unbalanced quotes"),
        (b"m v=1 12x", "bad timestamp"),
        (b"m v=1 1.5", "bad timestamp"),
        (b"m v=1 99999999999999999999", "value out of range"),
        (b"m v=1 " + b"9" * 5000, "value out of range"),
    ],
)
def test_a_line_that_does_not_parse(body: bytes, reason: str) -> None:
    line = only(body)
    assert isinstance(line, BadLine), f"{body!r} was taken as {line}"
    assert reason in line.reject.reason


def test_blank_lines_and_comments_are_no_lines() -> None:
    assert list(parse_lines(b"\n\n # comment v=1\n \t \nm v=1\n#\r\n")) == [Line(b"m", b"v=1", None)]


def test_a_bad_line_costs_no_neighbour() -> None:
    lines = list(parse_lines(b'm v=1\nbad\nm v="open\nm v=2\n'))
    assert [type(line) for line in lines] == [Line, BadLine, BadLine, Line]


@pytest.mark.parametrize(
    "body",
    [
        b'w,city="Paris temp=1 x\nw,city=x text="good" 2\nw,city=y v=1 3\n',
        b'it"s bad\nm s="x" 1\nm v=2 2\n',
        b"m v=1 1 \\\nm v=1 1\nm v=2 2\n",
        b'm s="a\nb" x\nm v=1 1\nm v=2 2\n',
        b'm s="a\\"\nb" x\nm v=1 1\nm v=2 2\n',
    ],
)
def test_a_stray_quote_or_backslash_takes_no_neighbour_along(body: bytes) -> None:
    assert [type(line) for line in parse_lines(body)] == [BadLine, Line, Line]
    assert len(split_lines(body)) == 3


def test_tags_are_unescaped_and_checked() -> None:
    assert parse_tags(rb"m\,x,a\ b=c\=d,e=f\g") == {b"a b": b"c=d", b"e": rb"f\g"}
    for key, reason in (
        (b"m,a=1,a=2", "duplicate tags"),
        (b"m,time=1", "reserved tag key"),
        (b"m,a=" + b"x" * 65_536, "max key length"),
    ):
        reject = parse_tags(key)
        assert isinstance(reject, Reject), key[:20]
        assert reason in reject.reason


def test_fields_come_apart() -> None:
    assert parse_fields(rb'a\,b=1i,c="x,y=\"z\\",d=t') == [(b"a,b", b"1i"), (b"c", rb'"x,y=\"z\\"'), (b"d", b"t")]
    assert unescape_string(rb'"x\"y\\z\n"') == rb'x"y\z\n'
    assert unescape_key(rb"a\,b\ c\=d\e") == rb"a,b c=d\e"


@given(
    st.lists(st.sampled_from([b"m v=1 5", b'm,a=b v="x\ny" 6', b"bad", b"# c", b"", b'm v="\\"', b"\\"]), max_size=8)
)
def test_splitting_and_joining_changes_no_line(parts: list[bytes]) -> None:
    body = b"\n".join(parts)
    lines = split_lines(body)
    assert list(parse_lines(b"".join(lines))) == list(parse_lines(body))
    assert [len(list(parse_lines(line))) for line in lines] == [1] * len(lines)


@given(st.text(st.sampled_from('m,a=b v=1"\\ \n5ie.-#t')).map(str.encode))
def test_any_text_comes_to_an_end_with_an_answer_for_each_line(body: bytes) -> None:
    for line in parse_lines(body):
        assert isinstance(line, Line) or line.reject.reason


def test_quirks_of_influxdb_that_its_judgement_showed() -> None:
    assert only(b"m,a==b,c== \t\0 v=1 \0\t5  ") == Line(b"m,a==b,c==", b"v=1", 5)
    assert only(b"m v=1 \t\n") == Line(b"m", b"v=1", None)
    assert parse_tags(b"m,a==b,c==") == {b"a": b"=b", b"c": b"="}
    assert isinstance(only(b"m,a=b=c v=1"), BadLine)
    for name in (b"time", b"_field", b"_measurement", b"\0", b"\xff"):
        reject = parse_tags(b"m," + name + b"=1")
        assert isinstance(reject, Reject), name
        assert "reserved tag key" in reject.reason


def test_a_field_that_influxdb_would_refuse_later_is_refused_now() -> None:
    for fields in (b"time=1", b'a="x",time=2i', b"time=t,b=1"):
        refusal = field_refusal(Line(b"m", fields, None))
        assert refusal is not None, fields
        assert "time" in refusal.reason
    for fields in (b"times=1", b'a="time=1"', b"runtime=1", b"a\\,time=1"):
        assert field_refusal(Line(b"m", fields, None)) is None, fields


def test_no_expression_has_a_possessive_group() -> None:
    """Python before 3.11.5, which Debian 12 has, gets some of them wrong."""
    for path in Path(line_parser.__file__).parent.rglob("*.py"):
        code = "".join(line for line in path.read_text().splitlines(keepends=True) if not line.lstrip().startswith("#"))
        assert not re.search(r"\)[*+?]\+", code), f"{path.name}: write (?>(?:…)*)"
