"""Bytes and requests made a little wrong, always the same way from the same seed."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Final

import msgspec

from tests.fuzz.requests import Request

_MOST_BYTES: Final = 20_000
_WORDS: Final = (
    *(
        b"\0",
        b"\r\n",
        b"\n",
        b"\r",
        b'"',
        b"\\",
        b"\\u0000",
        b"\\ud800",
        b"'",
        b",",
        b"=",
        b" ",
        b"#",
        b"%00",
        b"%ff",
        b"&",
    ),
    *(
        b"\xff",
        b"\xed\xa0\x80",
        b"\xef\xbb\xbf",
        "é٣İﬃ😀\u202e\u2028".encode(),
        b"__proto__",
        b"{",
        b"[",
        b"]",
        b"}",
        b":",
    ),
    *(
        b"NaN",
        b"1e999",
        b"-0",
        b"9223372036854775808",
        b"-9223372036854775809",
        b"1" * 400,
        b"null",
        b"true",
        b"i",
        b"u",
    ),
    *(
        b"timestamp",
        b"tag",
        b"valor",
        b"events",
        b"mqtt_message",
        b"value",
        b"text",
        b"payload",
        b"1539112021301",
        b".",
    ),
    *(b"[" * 1_500, b'{"a":' * 1_500, b"\x1f\x8b\x08", b"gzip", b"~", b"..", b"/", b"Basic ", b"Token ", b"Bearer "),
)
_METHODS: Final = (b"GET", b"POST", b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE", b"X", b"PROPFIND")


def mutate(data: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    """``data`` with one to four changes; pieces of ``others`` may come into it."""
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        data = random.choice(_CHANGES)(data, random, others)
    return data[:_MOST_BYTES]


def mutate_request(request: Request, random: Random, corpus: Sequence[Request]) -> Request:
    """``request`` with another body, target, method or header; it stays one that HTTP can carry."""
    place = random.random()
    if place < 0.6 and request.body:
        return msgspec.structs.replace(request, body=mutate(request.body, random, [random.choice(corpus).body]))
    if place < 0.85:
        target = mutate(request.target, random, [random.choice(corpus).target])
        return msgspec.structs.replace(request, target=b"/" + _carried(target, b" \t\r\n").removeprefix(b"/"))
    if place < 0.88:
        return msgspec.structs.replace(request, method=random.choice(_METHODS))
    return msgspec.structs.replace(request, headers=_mutated_headers(request.headers, random))


def _mutated_headers(headers: tuple[tuple[bytes, bytes], ...], random: Random) -> tuple[tuple[bytes, bytes], ...]:
    if not headers:
        return headers
    place = random.randrange(len(headers))
    name, value = headers[place]
    changed = (name, _carried(mutate(value, random, []), b"\r\n\0")[:4_000])
    return (*headers[:place], changed, *headers[place + random.randint(0, 1) :])


def _carried(text: bytes, not_carried: bytes) -> bytes:
    return text.translate(None, not_carried + bytes(range(32)) + b"\x7f")


def _flip(data: bytes, random: Random, _: Sequence[bytes]) -> bytes:
    if not data:
        return data
    at = random.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 :]


def _cut(data: bytes, random: Random, _: Sequence[bytes]) -> bytes:
    start, end = _range(data, random)
    return data[:start] + data[end:]


def _truncate(data: bytes, random: Random, _: Sequence[bytes]) -> bytes:
    return data[: random.randint(0, len(data))]


def _repeat(data: bytes, random: Random, _: Sequence[bytes]) -> bytes:
    start, end = _range(data, random)
    return data[:end] + data[start:end] * random.choice((1, 2, 50)) + data[end:]


def _put_word(data: bytes, random: Random, _: Sequence[bytes]) -> bytes:
    start, end = _range(data, random)
    return data[:start] + random.choice(_WORDS) + data[random.choice((start, end)) :]


def _splice(data: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    if not others:
        return data
    start, _ = _range(data, random)
    from_, to = _range(other := random.choice(others), random)
    return data[:start] + other[from_:to] + data[start:]


def _noise(data: bytes, random: Random, _: Sequence[bytes]) -> bytes:
    start, _end = _range(data, random)
    return data[:start] + random.randbytes(random.randint(1, 8)) + data[start:]


def _range(data: bytes, random: Random) -> tuple[int, int]:
    start = random.randint(0, len(data))
    return start, min(len(data), start + random.choice((1, 2, 8, 64)))


_CHANGES: Final[tuple[Callable[[bytes, Random, Sequence[bytes]], bytes], ...]] = (
    *(_flip, _cut, _truncate, _repeat, _put_word, _put_word, _splice, _noise),
)
