import json
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks import null_server
from benchmarks.events import CONTENT_TYPES, Events
from benchmarks.job import Job, Plan, Sent
from benchmarks.null_server import NullServer
from benchmarks.sender import Sender, requests
from benchmarks.sending import sending

OK = b"HTTP/1.1 204 No Content\r\n\r\n"
REFUSED = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy"
BROKEN = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops"


@pytest.fixture(scope="module")
def server() -> Iterator[NullServer]:
    with null_server.serving() as running:
        yield running


@pytest.mark.parametrize("form", CONTENT_TYPES)
def test_each_form_is_sent_whole_as_often_as_it_is_told(form: str, server: NullServer) -> None:
    batch = 1 if form == "single" else 700
    port, path = int(server.url.rpartition(":")[2]), "/api/v2/write" if form == "lp" else "/events"
    before = server.taken()
    with sending(Plan(form, 2000, batch)) as sender:
        sent = [sender.send(Job(port, path, 3)) for _ in range(2)]
    taken = server.taken()
    assert [each.events for each in sent] == [2000, 2000]
    assert taken.events - before.events == 4000
    assert taken.requests - before.requests == sum(each.requests for each in sent) == 2 * -(-2000 // batch)


def test_a_rate_is_held_and_latency_counts_from_the_plan(server: NullServer) -> None:
    port = int(server.url.rpartition(":")[2])
    with sending(Plan("single", 500)) as sender:
        sent = sender.send(Job(port, "/events", 8, rate=1000))
    assert 0.49 < sent.ended - sent.started < 5
    assert 0 < sent.p50_ms <= sent.p99_ms <= sent.max_ms


def test_what_is_refused_is_sent_again() -> None:
    with _answering([REFUSED, OK, OK, REFUSED]) as port:
        sent = _send(port, 10)
    assert (sent.requests, sent.refused) == (10, 2)


def test_an_answer_in_pieces_is_one() -> None:
    with _answering([], piece_bytes=7) as port:
        assert _send(port, 5).requests == 5


def test_any_other_answer_ends_it() -> None:
    with _answering([OK, BROKEN]) as port, pytest.raises(RuntimeError, match=r"answered 500.*oops"):
        _send(port, 10)


def test_a_connection_that_ends_without_an_answer_ends_it() -> None:
    with _answering([OK, b""]) as port, pytest.raises(RuntimeError, match="hung up"):
        _send(port, 10)


def test_events_are_all_different_and_the_same_in_every_form() -> None:
    events = Events(sensors=100)
    numbers = range(20_000)
    parsed = [json.loads(events.json(number)) for number in numbers]
    assert len({(each["tag"], each["timestamp"]) for each in parsed}) == len(numbers)
    for each, number in zip(parsed, numbers, strict=True):
        series, field, time_ns = events.line(number).rstrip("\n").split(" ")
        assert series.split(",")[1:4] == [
            f"{k}={v}" for k, v in zip(("country", "region", "sensor"), each["tag"].split("."), strict=True)
        ]
        assert field.partition("=")[2].strip('"') == each["valor"]
        assert int(time_ns) == each["timestamp"] * 10**6
    assert sum(not each["valor"] for each in parsed) == len(parsed) / 100


def _send(port: int, count: int) -> Sent:
    job = Job(port, "/events", 2)
    bodies = Events().bodies("single", 0, count, 1)
    return Sender(requests(bodies, "single", job), job).run(count)


class _Handler(socketserver.StreamRequestHandler):
    """Gives the server's answers in turn, then 204 for ever; an empty one hangs up."""

    def handle(self) -> None:
        assert isinstance(self.server, _Server)
        while self.rfile.readline():
            head = list(iter(self.rfile.readline, b"\r\n"))
            length = next(line for line in head if line.startswith(b"Content-Length: "))
            self.rfile.read(int(length.split()[1]))
            answer = self.server.next_answer()
            if not answer:
                return
            for at in range(0, len(answer), self.server.piece_bytes):
                self.wfile.write(answer[at : at + self.server.piece_bytes])
                time.sleep(0.005 if self.server.piece_bytes < len(answer) else 0)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, answers: list[bytes], piece_bytes: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._answers = iter(answers)
        self.piece_bytes = piece_bytes

    def next_answer(self) -> bytes:
        return next(self._answers, OK)


@contextmanager
def _answering(answers: list[bytes], piece_bytes: int = 1000) -> Iterator[int]:
    """A server's port."""
    with _Server(answers, piece_bytes) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
