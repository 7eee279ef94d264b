"""``$__interval`` as Grafana has it."""

import pytest

from tests.grafana.intervals import interval_ms, written

HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("range_ms", "points", "minimum", "text"),
    [
        (HOUR_MS, 1000, "", "5s"),
        (HOUR_MS, 1000, "1m", "1m"),
        (24 * HOUR_MS, 1000, "1m", "1m"),
        (24 * HOUR_MS, 600, "1m", "2m"),
        (30 * 24 * HOUR_MS, 1000, "1m", "30m"),
        (365 * 24 * HOUR_MS, 1000, "1m", "6h"),
        (5000, 1000, "", "1ms"),
        (60_000, 1000, "", "50ms"),
    ],
)
def test_the_interval_is_rounded_and_never_below_the_minimum(
    range_ms: int, points: int, minimum: str, text: str
) -> None:
    assert written(interval_ms(range_ms, points, minimum)) == text
