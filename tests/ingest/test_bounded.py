from hypothesis import given
from hypothesis import strategies as st

from ingest.bounded import BoundedDict, BoundedSet, Memo


def test_it_remembers_until_it_is_full_and_then_starts_anew() -> None:
    remembered: BoundedDict[int, str] = BoundedDict(3)
    assert [remembered.remember(number, str(number)) for number in range(3)] == ["0", "1", "2"]
    assert remembered == {0: "0", 1: "1", 2: "2"}
    remembered.remember(3, "3")
    assert remembered == {3: "3"}


def test_a_set_does_so_too() -> None:
    remembered: BoundedSet[int] = BoundedSet(3)
    for numbers in ([0], [1, 2], [3]):
        remembered.remember(numbers)
    assert remembered == {3}
    remembered.remember(range(9))
    assert len(remembered) == 3


@given(st.lists(st.lists(st.text(max_size=3), max_size=6)), st.integers(1, 5))
def test_law_a_memo_changes_nothing_and_asks_only_for_what_it_has_not_got(bodies: list[list[str]], most: int) -> None:
    asked: list[str] = []

    def doubled(texts: list[str]) -> list[str]:
        asked.extend(texts)
        return [text * 2 for text in texts]

    memo = Memo(doubled, most, longest=2)
    for texts in bodies:
        known = dict(memo._known)
        asked.clear()
        assert memo.column(texts) == [text * 2 for text in texts]
        assert sorted(asked) == sorted(set(texts) - known.keys())
        assert len(memo) <= most
        assert all(len(text) <= 2 for text in memo._known)
        assert [memo.of(text) for text in texts] == [text * 2 for text in texts]


def test_a_memo_remembers_what_is_worth_it() -> None:
    def upper(texts: list[str]) -> list[str]:
        return [text.upper() for text in texts]

    memo = Memo(upper, most=9, longest=9, worth=lambda value: value != "B")
    assert memo.column(["a", "b", "c"]) == ["A", "B", "C"]
    assert memo._known == {"a": "A", "c": "C"}


def test_who_reads_a_memo_is_not_disturbed_when_it_starts_anew() -> None:
    def inner(texts: list[str]) -> list[str]:
        # As another thread would, meanwhile.
        if texts == ["d"]:
            memo.column(["e", "f", "g"])
        return texts

    memo = Memo(inner, most=3, longest=9)
    assert memo.column(["a", "b"]) == ["a", "b"]
    assert memo.column(["a", "d", "b"]) == ["a", "d", "b"]
