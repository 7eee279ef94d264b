import pytest

from benchmarks.answer import Answer

GOOD = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}"


def test_an_answer_of_the_usual_length_with_another_status_is_seen() -> None:
    answer = Answer()
    assert answer.status(1, GOOD) == 202
    assert answer.status(1, GOOD) == 202
    assert answer.status(1, GOOD.replace(b"202", b"503")) == 503


def test_pieces_of_two_connections_are_kept_apart() -> None:
    answer = Answer()
    assert [answer.status(1, GOOD[:20]), answer.status(2, GOOD[:44])] == [0, 0]
    assert [answer.status(1, GOOD[20:]), answer.status(2, GOOD[44:])] == [202, 202]


def test_a_piece_as_long_as_an_answer_is_none() -> None:
    answer = Answer()
    long = GOOD.replace(b"2\r\n\r\n{}", b"%d\r\n\r\n" % len(GOOD)) + GOOD
    assert answer.status(1, GOOD) == 202
    assert answer.status(1, long[:30]) == 0
    assert answer.status(1, long[30:]) == 202


def test_the_end_of_a_connection_is_no_answer() -> None:
    answer = Answer()
    assert answer.status(1, GOOD[:9]) == 0
    with pytest.raises(RuntimeError, match=r"HTTP/1\.1"):
        answer.status(1, b"")
