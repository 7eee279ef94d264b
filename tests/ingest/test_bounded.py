from ingest.bounded import BoundedDict, BoundedSet


def test_it_remembers_until_it_is_full_and_then_starts_anew() -> None:
    remembered: BoundedDict[int, str] = BoundedDict(3)
    assert [remembered.remember(number, str(number)) for number in range(3)] == ["0", "1", "2"]
    assert remembered == {0: "0", 1: "1", 2: "2"}
    remembered.remember(3, "3")
    assert remembered == {3: "3"}


def test_a_set_does_so_too() -> None:
    remembered: BoundedSet[int] = BoundedSet(3)
    for number in (0, 1, 2, 3):
        remembered.remember(number)
    assert remembered == {3}
