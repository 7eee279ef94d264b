"""The one sender for Pulso and its peers, a process of its own: it makes its bodies first, then sends them when told.

It costs little, and the same for all: sockets that never block, one epoll, heads and bodies put together beforehand.
``benchmarks.sending`` speaks with it: a Plan on the first line of stdin, then a Job a line, each answered by a Sent.
"""

import gc
import select
import socket
import sys
import time
from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from benchmarks.answer import Answer
from benchmarks.events import CONTENT_TYPES, Events
from benchmarks.job import Job, Plan, Sent

_SILENCE_SECONDS: Final = 60.0
_REFUSED_PAUSE_NS: Final = 20_000_000
_READ_BYTES: Final = 65536
_TRY_AGAIN: Final = (429, 503)


@dataclass(slots=True)
class _Connection:
    """``request`` is the number of the one under way; ``rest`` is what the socket has not taken of it."""

    socket: socket.socket
    request: int = -1
    since_ns: int = 0
    rest: memoryview = field(default=memoryview(b""))


class Sender:
    """One job's run. Raises RuntimeError for an answer that is neither 2xx nor a refusal, and when there is none."""

    def __init__(self, requests: Sequence[bytes], job: Job) -> None:
        self._requests = requests
        self._interval_ns = 10**9 / job.rate if job.rate else 0.0
        self._answer = Answer()
        self._epoll = select.epoll()
        self._connections = {each.socket.fileno(): each for each in _connect(job)}
        self._idle = deque(self._connections.values())
        self._again: deque[tuple[int, int]] = deque()
        self._next = 0
        self._left = len(requests)
        self._refused = 0
        self._late_ns = 0
        self._latencies_ns = array("q")
        self._due_ns = self._heard_ns = 0
        for fileno in self._connections:
            self._epoll.register(fileno, select.EPOLLIN)

    def run(self, events: int) -> Sent:
        used, started = time.process_time(), time.monotonic()
        self._due_ns = self._heard_ns = time.monotonic_ns()
        try:
            while self._left:
                self._send_due()
                for fileno, event in self._wait():
                    connection = self._connections[fileno]
                    if event & select.EPOLLOUT:
                        self._push(connection)
                    else:
                        self._read(connection)
        finally:
            self._epoll.close()
            for connection in self._connections.values():
                connection.socket.close()
        return self._sent(events, started, time.monotonic(), time.process_time() - used)

    def _send_due(self) -> None:
        idle = self._idle
        while idle:
            now_ns = time.monotonic_ns()
            if self._again and self._again[0][0] <= now_ns:
                number = self._again.popleft()[1]
            elif self._next < len(self._requests) and self._due_ns + self._next * self._interval_ns <= now_ns:
                number = self._next
                self._next += 1
            else:
                return
            self._start(idle.popleft(), number, now_ns)

    def _start(self, connection: _Connection, number: int, now_ns: int) -> None:
        planned_ns = self._due_ns + int(number * self._interval_ns) if self._interval_ns else now_ns
        self._late_ns = max(self._late_ns, now_ns - planned_ns)
        connection.request, connection.since_ns = number, planned_ns
        request = self._requests[number]
        try:
            taken = connection.socket.send(request)
        except BlockingIOError:
            taken = 0
        if taken < len(request):
            connection.rest = memoryview(request)[taken:]
            self._epoll.modify(connection.socket, select.EPOLLIN | select.EPOLLOUT)

    def _push(self, connection: _Connection) -> None:
        connection.rest = connection.rest[connection.socket.send(connection.rest) :]
        if not connection.rest:
            self._epoll.modify(connection.socket, select.EPOLLIN)

    def _wait(self) -> Sequence[tuple[int, int]]:
        """epoll knows milliseconds only, select microseconds: it waits for the next planned request."""
        timeout_seconds = _SILENCE_SECONDS
        if self._idle and (self._interval_ns or self._again):
            until_ns = min(self._upcoming_ns(), default=time.monotonic_ns() + 10**9)
            select.select([self._epoll], [], [], max(0, until_ns - time.monotonic_ns()) / 10**9)
            timeout_seconds = 0
        events = self._epoll.poll(timeout_seconds)
        waiting = len(self._idle) < len(self._connections)
        if not events and waiting and time.monotonic_ns() > self._heard_ns + _SILENCE_SECONDS * 10**9:
            raise RuntimeError(f"no answer for {_SILENCE_SECONDS:.0f} s; {self._left:,} requests are left")
        return events

    def _upcoming_ns(self) -> Iterator[int]:
        if self._next < len(self._requests):
            yield self._due_ns + int(self._next * self._interval_ns)
        if self._again:
            yield self._again[0][0]

    def _read(self, connection: _Connection) -> None:
        data = connection.socket.recv(_READ_BYTES)
        status = self._answer.status(connection.socket.fileno(), data)
        if status == 0:
            return
        now_ns = self._heard_ns = time.monotonic_ns()
        if 200 <= status < 300:
            self._latencies_ns.append(now_ns - connection.since_ns)
            self._left -= 1
        elif status in _TRY_AGAIN:
            self._refused += 1
            self._again.append((now_ns + _REFUSED_PAUSE_NS, connection.request))
        else:
            raise RuntimeError(f"answered {status}: {data[-500:]!r}")
        self._idle.append(connection)

    def _sent(self, events: int, started: float, ended: float, cpu_seconds: float) -> Sent:
        latencies = sorted(self._latencies_ns)
        p50, p99, most = (latencies[min(len(latencies) - 1, int(len(latencies) * q))] / 10**6 for q in (0.5, 0.99, 1.0))
        late_ms = self._late_ns / 10**6
        return Sent(events, len(latencies), self._refused, started, ended, cpu_seconds, p50, p99, most, late_ms)


def _connect(job: Job) -> Iterator[_Connection]:
    for _ in range(job.connections):
        opened = socket.create_connection(("127.0.0.1", job.port))
        opened.setblocking(False)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield _Connection(opened)


def requests(bodies: Sequence[bytes], form: str, job: Job) -> Sequence[bytes]:
    """Each body with its head, as it goes over the wire."""
    fields = {"Host": f"127.0.0.1:{job.port}", "Content-Type": CONTENT_TYPES[form], **job.headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    head = f"POST {job.path} HTTP/1.1\r\n{lines}Content-Length: ".encode()
    return [b"%b%d\r\n\r\n%b" % (head, len(body), body) for body in bodies]


def main() -> None:
    plan = msgspec.json.decode(sys.stdin.readline(), type=Plan)
    events = Events(plan.sensors, plan.start_ms, plan.step_ms)
    bodies = events.bodies(plan.form, plan.first, plan.events, plan.batch)
    gc.freeze()
    gc.disable()
    print("ready", flush=True)
    for line in sys.stdin:
        job = msgspec.json.decode(line, type=Job)
        sent = Sender(requests(bodies, plan.form, job), job).run(plan.events)
        print(msgspec.json.encode(sent).decode(), flush=True)


if __name__ == "__main__":
    main()
