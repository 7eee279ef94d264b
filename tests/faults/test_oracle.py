"""The oracle itself: it has to find what it is for."""

import pytest

from tests.faults.history import History
from tests.faults.oracle import Verdict, judge, miscounted
from tests.faults.readings import DOOMED, Reading
from tests.faults.scan import Death, Row

READINGS = [
    Reading(1_000, "brasil.sul.s1", "23.50", 23.5),
    Reading(1_001, "brasil.sul.s1", "a text", "a text"),
    Reading(1_002, "brasil.sul.s2", " ", ""),
    Reading(1_003, DOOMED, 7, 7.0),
]
ROWS = [Row(reading.timestamp_ms * 10**6 + 7, reading.tag, reading.stored, reading.status) for reading in READINGS]
DEATH = Death(b"events,country=brasil,region=sul,sensor=condenado,status=processado value=7.0 1003000007\n", "no")


def told(*answers: int) -> History:
    """A history in which each reading went out alone and got one of ``answers``; 0 is none."""
    history = History()
    for reading, status in zip(READINGS, answers, strict=True):
        history.going_out([reading])
        if status:
            body = '{"accepted":1,"rejected":[]}' if status == 202 else ""
            history.answered([reading], status, body, 0.1)
    return history


def found(verdict: Verdict) -> dict[str, int]:
    return {name: len(sentences) for name, sentences in verdict.by_kind().items() if sentences}


def test_what_was_acked_and_is_stored_is_well() -> None:
    assert judge(told(202, 202, 204, 202), ROWS, []).is_good


def test_what_got_no_answer_or_a_503_may_be_stored_or_not() -> None:
    history = told(0, 0, 503, 429)
    assert judge(history, ROWS, []).is_good
    assert judge(history, [], []).is_good


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        (ROWS[1:], "lost"),
        ([*ROWS, Row(1_000 * 10**6 + 8, "brasil.sul.s1", 23.5, "processado")], "duplicated"),
        ([Row(1_000 * 10**6, "brasil.sul.s1", 23.6, "processado"), *ROWS[1:]], "altered"),
        ([Row(1_000 * 10**6, "brasil.sul.s1", "23.50", "processado"), *ROWS[1:]], "altered"),
        ([Row(1_000 * 10**6, "brasil.sul.s1", 23.5, "erro"), *ROWS[1:]], "altered"),
        ([*ROWS, Row(1_004 * 10**6, "brasil.sul.s1", 1.0, "processado")], "foreign"),
    ],
    ids=["lost", "twice", "another value", "a text", "another status", "never sent"],
)
def test_what_is_amiss_is_found(rows: list[Row], kind: str) -> None:
    assert found(judge(told(202, 202, 202, 202), rows, [])) == {kind: 1}


def test_a_text_of_the_embedded_store_is_the_number_it_stands_for() -> None:
    rows = [Row(row.time_ns, row.tag, reading.valor or "", None) for row, reading in zip(ROWS, READINGS, strict=True)]
    rows[2] = Row(ROWS[2].time_ns, ROWS[2].tag, "", None)
    history = told(202, 202, 202, 202)
    assert judge(history, rows, []).is_good
    rows[0] = Row(ROWS[0].time_ns, ROWS[0].tag, "23.51", None)
    assert found(judge(history, rows, [])) == {"altered": 1}


def test_a_dead_letter_is_no_loss_where_it_may_be_one() -> None:
    history = told(202, 202, 202, 202)
    assert judge(history, ROWS[:3], [DEATH], may_die=b"condenado").is_good
    assert found(judge(history, ROWS[:3], [DEATH])) == {"lost": 1, "strange": 1}
    assert found(judge(history, ROWS[:3], [], may_die=b"condenado")) == {"lost": 1}


@pytest.mark.parametrize("status", [400, 413, 500, 502])
def test_only_a_503_or_a_429_may_refuse_good_readings(status: int) -> None:
    assert found(judge(told(202, 202, 202, status), ROWS, [])) == {"strange": 1}


@pytest.mark.parametrize(
    "receipt",
    ['{"accepted":2,"rejected":[]}', '{"accepted":1,"rejected":[{"index":0,"code":"tag_segments","reason":"no"}]}'],
)
def test_a_receipt_has_to_refuse_the_bad_readings_and_no_other(receipt: str) -> None:
    bad = Reading(2_000, "brasil.sul", "1", 1.0, is_bad=True)
    history = History()
    history.going_out([READINGS[0], bad])
    history.answered([READINGS[0], bad], 202, receipt, 0.1)
    assert found(judge(history, ROWS[:1], [])) == {"strange": 1}


def test_an_answer_that_takes_too_long_is_a_hang() -> None:
    history = History()
    history.going_out(READINGS[:1])
    history.answered(READINGS[:1], 202, '{"accepted":1,"rejected":[]}', 20.0)
    history.unanswered("TimeoutError", 30.0)
    assert found(judge(history, ROWS[:1], [])) == {"strange": 2}


def test_counts_have_to_be_those_of_the_scan() -> None:
    minutes = {(0, "brasil.sul.s1"): 2, (0, "brasil.sul.s2"): 1, (0, DOOMED): 1}
    said = {"brasil.sul.s1": 2, "brasil.sul.s2": 1, DOOMED: 1}
    assert miscounted(ROWS, minutes, said) == []
    assert len(miscounted(ROWS, minutes, {**said, DOOMED: 2})) == 1
    assert len(miscounted(ROWS, {**minutes, (60_000, DOOMED): 1}, said)) == 1
    assert len(miscounted(ROWS, {}, {})) == 6
