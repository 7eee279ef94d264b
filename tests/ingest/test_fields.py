"""What is worked out of many valores at once is what it is of each."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from ingest.event import number, offset_ns
from ingest.fields import numbers, offsets_ns
from tests.ingest.strategies import NUMBERS, VALORES


def bits(values: list[float | None]) -> list[bytes | None]:
    return [None if value is None else struct.pack("d", value) for value in values]


@given(st.lists(st.one_of(NUMBERS, st.sampled_from(["-0", "0", "-0.0", "1e-400"]))) | st.lists(VALORES))
def test_law_at_once_as_one_by_one(valores: list[str]) -> None:
    assert bits(list(numbers(valores))) == bits([number(valor) for valor in valores])
    assert offsets_ns(valores) == [offset_ns(valor) for valor in valores]
