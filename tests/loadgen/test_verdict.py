"""What counts as acked, rejected, or failed."""

import pytest

from loadgen.connection import Answer
from loadgen.verdict import ALL_ACKED, Rejection, Verdict, judge


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (202, b'{"accepted":3,"rejected":[]}', ALL_ACKED),
        (202, b'{"accepted": 3, "rejected": [], "more": 1}', ALL_ACKED),
        (204, b"", ALL_ACKED),
        (202, b'{"accepted":2,"rejected":[{"index":1,"reason":"r"}]}', Verdict(rejected=(Rejection(1, "r"),))),
        (
            202,
            b'{"accepted":2,"rejected":[]}',
            Verdict(error="HTTP 202, but its receipt does not add up to the events sent"),
        ),
        (
            202,
            b'{"accepted":2,"rejected":[{"index":3,"reason":"r"}]}',
            Verdict(error="HTTP 202, but its receipt does not add up to the events sent"),
        ),
        (
            202,
            b'{"accepted":1,"rejected":[{"index":1,"reason":"r"},{"index":1,"reason":"r"}]}',
            Verdict(error="HTTP 202, but its receipt does not add up to the events sent"),
        ),
        (
            202,
            b'{"accepted":2,"rejected":[{"index":1,"reason":"r"},{"index":1,"reason":"r"}]}',
            Verdict(error="HTTP 202, but its receipt does not add up to the events sent"),
        ),
        (
            202,
            b'{"accepted":1,"rejected":[{"index":1,"reason":"r"}],"not_listed":1}',
            Verdict(error="HTTP 202, but its receipt lists only some of the events it refuses; try --batch 1000"),
        ),
        (
            202,
            b'{"accepted":1,"rejected":[{"index":1,"reason":"r"}],"not_listed":5}',
            Verdict(error="HTTP 202, but its receipt does not add up to the events sent"),
        ),
        (
            202,
            rb'{"accepted":2,"rejected":[{"index":1,"reason":"\u001b]0;pwned\u0007"}]}',
            Verdict(rejected=(Rejection(1, "�]0;pwned�"),)),
        ),
        (202, b"welcome", Verdict(error="HTTP 202 without a receipt")),
        (200, b"", Verdict(error="HTTP 200 without a receipt")),
        (400, b'{"error":"no JSON"}', Verdict(error="HTTP 400")),
        (400, b'{"accepted":3,"rejected":[]}', Verdict(error="HTTP 400, but its receipt accepts events")),
        (503, b'{"accepted":3,"rejected":[]}', Verdict(error="HTTP 503")),
        (302, b"", Verdict(error="HTTP 302")),
    ],
)
def test_an_answer_to_three_events(status: int, body: bytes, expected: Verdict) -> None:
    assert judge(Answer(status, body), 3) == expected


def test_a_400_that_rejects_every_event_is_a_rejection() -> None:
    body = b'{"accepted":0,"rejected":[{"index":0,"reason":"too old"}]}'
    assert judge(Answer(400, body), 1) == Verdict(rejected=(Rejection(0, "too old"),))
