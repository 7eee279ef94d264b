"""The parsers by themselves, a hundred times faster than over HTTP: what they say of any bytes, and that they end."""

import time
from collections.abc import Callable
from contextlib import suppress
from random import Random

from yarl import URL

from ingest.access.authorization import token_in
from ingest.body import gunzip
from ingest.decode import Decoded
from ingest.decode.json_events import JsonDecoder, NdjsonDecoder
from ingest.decode.line_events import LineDecoder
from ingest.errors import BadParameter, BodyTooLarge, BrokenEncoding
from ingest.line_parser import split_lines
from ingest.routes import parameters
from ingest.routes.rows import rows_for
from ingest.routes.spreadsheet import cell
from ingest.rules import Limits, Rules
from ingest.series.registry import Registry, SeriesLimits
from ingest.store.paging import parse_cursor
from tests.fuzz.mutation import mutate
from tests.fuzz.requests import corpus

NOW_MS = 1_760_000_000_000
MOST_INFLATED = 100_000

Parser = Callable[[bytes], None]


class Parsers:
    """Each takes any bytes, and raises only what its caller knows; AssertionError if two ways disagree."""

    def __init__(self) -> None:
        rules = Rules(Limits(0, 86_400_000, 0, 65_536), lambda: NOW_MS, Registry(SeriesLimits()))
        self._json = JsonDecoder(rules, keeps_texts=True)
        self._ndjson = NdjsonDecoder(rules, keeps_texts=True)
        self._lines = LineDecoder(rules, lambda: NOW_MS * 10**6, keeps_other_measurements=True, keeps_texts=True)

    def of_bodies(self) -> list[Parser]:
        return [self.json, self.ndjson, self.lines, self.gzip]

    def of_heads(self) -> list[Parser]:
        return [self.query, self.cursor, self.authorization, self.accept, self.spreadsheet]

    def json(self, body: bytes) -> None:
        _agree(self._json.quick(body), self._json.thorough(body))

    def ndjson(self, body: bytes) -> None:
        _agree(self._ndjson.quick(body), self._ndjson.thorough(body))

    def lines(self, body: bytes) -> None:
        decoded = self._lines.decode(body, "ns")
        _agree(self._lines.quick(body, "ns"), decoded)
        assert decoded.accepted + decoded.rejects.total() + len(decoded.refused_messages) == len(split_lines(body))
        passed = b"".join(decoded.lines)
        again = self._lines.decode(passed, "ns")
        assert again.lines == decoded.lines, f"{passed!r} was taken, and is {again.lines!r} when it is read again"

    def gzip(self, body: bytes) -> None:
        with suppress(BrokenEncoding, BodyTooLarge):
            assert len(gunzip(body, MOST_INFLATED)) <= MOST_INFLATED

    def query(self, text: bytes) -> None:
        query = URL("/?" + text.decode(errors="replace"), encoded=True).query
        with suppress(BadParameter):
            parameters.only(query, parameters.SEARCH)
            parameters.search(query)

    def cursor(self, text: bytes) -> None:
        with suppress(BadParameter):
            cursor = parse_cursor(text.decode(errors="replace"))
            assert parse_cursor(str(cursor)) == cursor

    def authorization(self, text: bytes) -> None:
        token_in([text.decode(errors="surrogateescape")])

    def accept(self, text: bytes) -> None:
        rows_for(text.decode(errors="surrogateescape"))

    def spreadsheet(self, text: bytes) -> None:
        shown = text.decode(errors="replace")
        assert cell(shown).replace("'", "") == shown.replace("'", "")


def _agree(quick: Decoded | None, thorough: Decoded) -> None:
    if quick is not None:
        assert (quick.events, quick.texts) == (thorough.events, thorough.texts)
        assert not thorough.rejects.listed


def fuzz_parsers(inputs: int, seed: int) -> float:
    """Give each of ``inputs`` to one parser; the longest that one took, in seconds. Raises what a parser should not."""
    random, parsers = Random(seed), Parsers()
    requests = corpus("0123456789abcdef")
    bodies = [request.body for request in requests if request.body]
    heads = [request.target for request in requests] + [value for request in requests for _, value in request.headers]
    slowest = 0.0
    for _ in range(inputs):
        known, chosen = (bodies, parsers.of_bodies()) if random.random() < 0.7 else (heads, parsers.of_heads())
        slowest = max(slowest, _try(random.choice(chosen), mutate(random.choice(known), random, known), seed))
    return slowest


def _try(parser: Parser, data: bytes, seed: int) -> float:
    began = time.thread_time()
    try:
        parser(data)
    except Exception as error:
        raise AssertionError(f"seed {seed}: {parser.__name__} of {data!r}") from error
    return time.thread_time() - began
