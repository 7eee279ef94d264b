"""Whichever worker a connection comes to, every request has the same answer."""

import json
import re
import socket
import time
from collections.abc import Iterator

import pytest

from tests.faults.service import Service
from tests.ingest.workers.staff import connected, event, pids_beside, staffed, wait_until_counted
from tools import influx_server as influx
from tools.influx_server import InfluxServer

_HOST = b"Host: localhost\r\n"
_SECONDS = 20.0
REQUESTS = [
    b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /health HTTP/1.1\r\n\r\n",
    b"GET /health HTTP/1.0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"HEAD /view_sensor HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /view_sensor HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n",
    b"GET /nothing%20x?a=%2F+b#frag HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET http://other.example/counts HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET //counts HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /a/../counts HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET counts HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"ODD /counts HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"PUT /events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc",
    b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"POST /get_data HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc",
    b"POST /nothing HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"HEAD /get_data HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /get_data?limit=3 HTTP/1.1\r\nHost: localhost\r\nAccept: text/csv\r\n\r\n",
    b"GET /get_data?sensor=%C3%A9&limit=3 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /get_data?sensor=\xc3\xa9\xff&limit=3 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /counts HTTP/1.1\r\nHost: localhost\r\nAccept: text/plain\r\nX-Odd: \xff\xe9\r\n\r\n",
    b"GET /counts?unknown=1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /counts HTTP/1.1\r\nHost: made.up.example\r\nPulso-Remote: 192.0.2.1\r\n\r\n",
    b"GET /counts HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: cross-site\r\n\r\n",
    b"GET /counts HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n\r\n",
    b"GET /counts HTTP/1.1\r\nHost: localhost\r\nExpect: nonsense\r\n\r\n",
    b"GET /counts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\nAuthorization: Bearer y\r\n\r\n",
    b"GET /counts HTTP/1.1\r\nHost: localhost\r\nX: %s\r\n\r\n" % (b"a" * 8_000),
    b"GET /counts HTTP/1.1\r\nHost: localhost\r\nX: %s\r\n\r\n" % (b"a" * 9_000),
    b"GET /counts?%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % (b"a" * 9_000),
    b"GET /counts HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    b"rubbish\r\n\r\n",
    b"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n[]GET /counts HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /write?precision=x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\na",
]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, influx_server: InfluxServer) -> Iterator[Service]:
    influx.make_bucket(influx_server, "forward")
    influx.make_bucket(influx_server, "forward-rollup")
    folder = tmp_path_factory.mktemp("a-folder-whose-name-alone-would-be-longer-than-the-path-of-a-socket-may-be" * 2)
    with staffed(folder, influx_server, "forward", 2) as service:
        service.post(*map(event, range(20)))
        assert wait_until_counted(service, 20) == 20
        yield service


@pytest.mark.parametrize("request_bytes", REQUESTS, ids=lambda raw: repr(raw[:60]))
def test_a_worker_answers_as_the_main_process_does(service: Service, request_bytes: bytes) -> None:
    [worker] = pids_beside(service)
    # Another request behind it says whether the connection is still of use, and ends it.
    both = request_bytes + b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    assert _asked(service, worker, both) == _asked(service, service.pid, both)


def test_whose_request_it_is_stays_known_and_cannot_be_made_up(service: Service) -> None:
    refused = [entry["remote"] for entry in service.log if entry.get("event") == "request_refused"]
    assert set(refused) == {"127.0.0.1"}, refused


def test_a_write_whose_client_sends_no_more_is_answered_at_a_worker_too(service: Service) -> None:
    body = b'{"timestamp": 1539112021301, "tag": "a.b.half", "valor": "1"}'
    for pid in (service.pid, *pids_beside(service)):
        with connected(service, pid) as client:
            client.sendall(b"POST /events HTTP/1.1\r\n" + _HOST + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            client.shutdown(socket.SHUT_WR)
            assert _all_of(client).startswith(b"HTTP/1.1 202 ")


def _asked(service: Service, pid: int, sent: bytes) -> list[object]:
    with connected(service, pid) as client:
        client.sendall(sent)
        answers = _all_of(client)
    # The order of headers says nothing, and how their names are written.
    return [
        sorted(line.lower() for line in part.split(b"\r\n") if not line.startswith(b"Date: "))
        for part in re.split(rb"(?=HTTP/1\.[01] )", answers)
    ]


def _all_of(client: socket.socket) -> bytes:
    pieces = []
    while piece := client.recv(65_536):
        pieces.append(piece)
    return b"".join(pieces)


def test_a_stream_shows_what_all_workers_take_wherever_its_own_connection_is(service: Service) -> None:
    [worker] = pids_beside(service)
    streams = [connected(service, pid) for pid in (service.pid, worker)]
    for stream in streams:
        stream.sendall(b"GET /events/stream?sensor=live HTTP/1.1\r\n" + _HOST + b"\r\n")
        _read_until(stream, b'"rows":[]')
    for number, pid in enumerate((worker, service.pid)):
        body = json.dumps(
            {"timestamp": 1_700_000_000_000 + number, "tag": "a.b.live", "valor": f"of {number}"}
        ).encode()
        with connected(service, pid) as client:
            client.sendall(b"POST /events HTTP/1.1\r\n" + _HOST + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            assert client.recv(65_536).startswith(b"HTTP/1.1 202 ")
        for stream in streams:
            _read_until(stream, f'"valor":"of {number}"'.encode())
    for stream in streams:
        stream.close()
    # Nobody watches any more, and the main process knows it: who asks has a connection, or two if it is forwarded.
    deadline = time.monotonic() + _SECONDS
    while (left := service.metric("ingest_connections")) > 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left <= 2


def _read_until(client: socket.socket, wanted: bytes) -> None:
    got = b""
    while wanted not in got:
        piece = client.recv(65_536)
        assert piece, f"the stream ended before {wanted!r}: {got[-500:]!r}"
        got += piece


def test_who_reads_slowly_gets_all_of_a_long_answer(service: Service) -> None:
    [worker] = pids_beside(service)
    sent = [{"timestamp": 1_600_000_000_000 + n, "tag": "a.b.long", "valor": f"{n:0100}"} for n in range(10_000)]
    assert service.answer("/events", json.dumps(sent))[0] == 202
    deadline = time.monotonic() + _SECONDS
    while (quickly := service.answer("/get_data?sensor=long&limit=10000")[1]).count(b"a.b.long") < len(sent):
        assert time.monotonic() < deadline
    with connected(service, worker) as client:
        # So that not all of it lies between the two.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        client.sendall(b"GET /get_data?sensor=long&limit=10000 HTTP/1.0\r\n" + _HOST + b"\r\n")
        time.sleep(0.5)
        slowly = _all_of(client)
    assert slowly.partition(b"\r\n\r\n")[2] == quickly
