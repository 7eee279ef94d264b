from hypothesis import given
from hypothesis import strategies as st

from ingest.token_bucket import TokenBucket

WAITS = st.lists(st.floats(0, 30), min_size=1, max_size=60)


@given(st.floats(0.1, 50), st.integers(1, 20), WAITS)
def test_never_more_than_the_burst_and_what_came_since(per_second: float, burst: int, waits: list[float]) -> None:
    now = [0.0]
    bucket = TokenBucket(per_second, burst, lambda: now[0])
    taken = 0
    for wait in waits:
        now[0] += wait
        taken += sum(bucket.take() == 0.0 for _ in range(30))
        assert taken <= burst + now[0] * per_second + 1e-6, (taken, now)


@given(st.floats(0.1, 50), st.integers(1, 20))
def test_a_token_is_there_when_it_was_said_to_be(per_second: float, burst: int) -> None:
    now = [0.0]
    bucket = TokenBucket(per_second, burst, lambda: now[0])
    assert [bucket.take() for _ in range(burst)] == [0.0] * burst
    wait = bucket.take()
    assert 0 < wait <= 1 / per_second
    now[0] += wait * 0.99
    assert bucket.take() > 0
    now[0] = wait * 1.01
    assert bucket.take() == 0.0
