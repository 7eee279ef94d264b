import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.body import decoded_body, gunzip
from ingest.errors import BodyTooLarge, BrokenEncoding, Overloaded, UnknownEncoding


class Room:
    """As much as there is, or up to ``most``."""

    def __init__(self, most: int = 10**9) -> None:
        self.most = most
        self.grown: list[int] = []

    def grow_to(self, size: int) -> None:
        self.grown.append(size)
        if size > self.most:
            raise Overloaded


@given(st.lists(st.binary(), min_size=1))
def test_every_member_of_a_gzip_body_is_read(members: list[bytes]) -> None:
    assert gunzip(b"".join(gzip.compress(member) for member in members), 10**6) == b"".join(members)


@given(st.binary(min_size=1), st.data())
def test_a_body_cut_short_is_never_taken(content: bytes, data: st.DataObject) -> None:
    body = gzip.compress(content)
    cut = data.draw(st.integers(1, len(body) - 1))
    with pytest.raises(BrokenEncoding):
        gunzip(body[:cut], 10**6)


async def test_the_limit_is_on_what_comes_out() -> None:
    bomb = gzip.compress(b"0" * 1_000_001)
    with pytest.raises(BodyTooLarge):
        await decoded_body(bomb, "gzip", 1_000_000, Room())
    assert len(await decoded_body(bomb, "gzip", 1_000_001, Room())) == 1_000_001


async def test_two_members_share_one_limit() -> None:
    with pytest.raises(BodyTooLarge):
        await decoded_body(gzip.compress(b"0" * 600) * 2, "gzip", 1000, Room())


async def test_what_is_not_gzip_has_a_reason() -> None:
    for body in (b"plain", zlib.compress(b"deflate"), gzip.compress(b"good") + b"trailing"):
        with pytest.raises(BrokenEncoding):
            await decoded_body(body, "gzip", 1000, Room())
    with pytest.raises(UnknownEncoding):
        await decoded_body(b"x", "br", 1000, Room())


async def test_no_encoding_is_passed_on() -> None:
    assert await decoded_body(b"x", "", 10, Room()) == await decoded_body(b"x", "identity", 10, Room()) == b"x"


async def test_a_large_body_is_inflated_in_a_thread() -> None:
    content = bytes(range(256)) * 4000
    assert await decoded_body(gzip.compress(content, 0), "gzip", 10**7, Room()) == content


async def test_what_has_no_room_is_not_inflated_to_its_end() -> None:
    room = Room(3 * 2**20)
    with pytest.raises(Overloaded):
        await decoded_body(gzip.compress(b"0" * 16 * 2**20), "gzip", 16 * 2**20, room)
    assert room.grown == [2**20, 2 * 2**20, 3 * 2**20, 4 * 2**20]
