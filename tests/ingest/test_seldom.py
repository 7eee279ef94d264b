from typing import Any

from ingest.seldom import Seldom


def test_the_first_is_told_at_once_and_then_one_a_minute_with_the_number_between() -> None:
    told: list[dict[str, Any]] = []
    now_seconds = 1000.0

    def log(event: str, **details: Any) -> None:
        told.append({"event": event} | details)

    seldom = Seldom(log, 60.0, lambda: now_seconds)
    for number in range(121):
        now_seconds = 1000.0 + number
        seldom("dead_letter", number=number)
    assert told == [
        {"event": "dead_letter", "number": 0, "held_back": 0},
        {"event": "dead_letter", "number": 60, "held_back": 59},
        {"event": "dead_letter", "number": 120, "held_back": 59},
    ]
