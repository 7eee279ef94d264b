"""Laws of the lanes: every row is taken once, whatever comes between, and neither lane starves the other."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ingest.spool.lanes import Lane, Lanes

FEW = st.integers(1, 4)


@dataclass
class Rows:
    """What a spool does with ids: they only grow, and some are never given."""

    waiting: list[int] = field(default_factory=list)
    newest_id: int = 0

    def add(self, step: int) -> None:
        self.newest_id += step
        self.waiting.append(self.newest_id)

    def of(self, lane: Lane, most: int) -> list[int]:
        return [id_ for id_ in self.waiting if lane.after_id < id_ <= (lane.last_id or self.newest_id)][:most]


class Shipping(RuleBasedStateMachine):
    """Rows come, time passes, and several take rows; what was taken may leave the spool at any time."""

    @initialize(steps=st.lists(FEW, max_size=20))
    def open(self, steps: list[int]) -> None:
        self.rows = Rows()
        for step in steps:
            self.rows.add(step)
        self.lanes = Lanes(self.rows.newest_id, late_seconds=2.0)
        self.added = set(self.rows.waiting)
        self.taken: list[int] = []
        self.now = 1000.0
        self.told_id = self.rows.newest_id

    @rule(step=FEW, is_told=st.booleans())
    def a_row_comes(self, step: int, is_told: bool) -> None:
        """Of what another process adds the service hears later."""
        self.rows.add(step)
        self.added.add(self.rows.newest_id)
        if is_told:
            self.told_id = self.rows.newest_id

    @rule(seconds=st.floats(0, 5))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(most=FEW, fresh_may_go=st.booleans())
    def take(self, most: int, fresh_may_go: bool) -> None:
        self.lanes.look(self.now, self.told_id)
        for lane in self.lanes.next():
            ids = self.rows.of(lane, most)
            if ids and (fresh_may_go or not lane.is_fresh):
                self.lanes.taken(lane, ids[-1])
                self.taken += ids
                return
            if not ids and not lane.is_fresh:
                self.lanes.past_ended()

    @rule(data=st.data())
    def some_leave(self, data: st.DataObject) -> None:
        done = [id_ for id_ in self.rows.waiting if id_ in set(self.taken)]
        if done:
            self.rows.waiting.remove(data.draw(st.sampled_from(done)))

    @invariant()
    def none_is_taken_twice(self) -> None:
        assert len(self.taken) == len(set(self.taken)), self.taken

    def teardown(self) -> None:
        for _ in range(2 * len(self.added) + 50):
            self.take(4, fresh_may_go=True)
        assert set(self.taken) == self.added, f"never taken: {sorted(self.added - set(self.taken))}"


TestShipping = Shipping.TestCase


@given(st.integers(1, 50), FEW, st.lists(st.booleans(), max_size=60))
def test_a_fresh_row_waits_for_no_more_than_one_write_of_the_past(past: int, most: int, comes: list[bool]) -> None:
    rows = Rows(list(range(1, past + 1)), past)
    lanes = Lanes(past)
    for now, one_comes in enumerate(comes):
        fresh_waits = False
        if one_comes:
            rows.add(1)
            fresh_waits = True
        for _ in range(2):
            lanes.look(now / 10, rows.newest_id)
            for lane in lanes.next():
                if ids := rows.of(lane, most):
                    lanes.taken(lane, ids[-1])
                    rows.waiting = [id_ for id_ in rows.waiting if id_ not in ids]
                    fresh_waits = fresh_waits and rows.newest_id not in ids
                    break
                if not lane.is_fresh:
                    lanes.past_ended()
        assert not fresh_waits, "two writes, and neither took the row that came"


def test_while_more_comes_than_goes_both_lanes_move() -> None:
    rows, lanes = Rows(list(range(1, 1001)), 1000), Lanes(1000)
    taken: list[bool] = []
    for step in range(400):
        for _ in range(5):
            rows.add(1)
        lanes.look(step * 0.1, rows.newest_id)
        lane = next(lane for lane in lanes.next() if rows.of(lane, 2))
        ids = rows.of(lane, 2)
        lanes.taken(lane, ids[-1])
        rows.waiting = [id_ for id_ in rows.waiting if id_ not in ids]
        taken.append(ids[0] > rows.newest_id - 5 * 41)
    assert 150 < sum(taken) < 250, "half of the writes are of what came in the last four seconds"
