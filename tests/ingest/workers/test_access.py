"""Tokens and TLS are the same at every worker, and change at all of them."""

import signal
import socket
import ssl
import time
from pathlib import Path

import trustme

from tests.faults.service import Service
from tests.ingest.workers.staff import connected, pids_beside, staffed
from tools.influx_server import InfluxServer

OLD, NEW = "old-0123456789abcdef", "new-0123456789abcdef"
_SECONDS = 20.0


def status(service: Service, pid: int, context: ssl.SSLContext, token: str, *request: str) -> int:
    """Of the answer that the process ``pid`` gives over TLS to a request's head, and its body if it has one."""
    head, body = (*request, "")[:2]
    with connected(service, pid) as plain, context.wrap_socket(plain, server_hostname="127.0.0.1") as client:
        headers = f"Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
        client.sendall(f"{head} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n{body}".encode())
        return int(_first(client).split()[1])


def _first(client: socket.socket) -> bytes:
    got = b""
    while b"\r\n" not in got:
        piece = client.recv(65_536)
        assert piece, f"the connection ended after {got!r}"
        got += piece
    return got.partition(b"\r\n")[0]


def test_tokens_and_certificates_hold_at_all_and_change_at_all(
    tmp_path: Path, influx_server: InfluxServer, influx_bucket: str
) -> None:
    authority = trustme.CA()
    certificate, key, tokens = tmp_path / "cert.pem", tmp_path / "key.pem", tmp_path / "tokens"
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(key)
    certificate.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
    tokens.write_text(f"sensor:all:{OLD}\n")
    context = ssl.create_default_context()
    authority.configure_trust(context)
    secured = ["--tls-certificate-file", str(certificate), "--tls-key-file", str(key), "--tokens-file", str(tokens)]
    write = "POST /events", '{"timestamp": 1539112021301, "tag": "a.b.c", "valor": "1"}'
    with staffed(tmp_path / "data", influx_server, influx_bucket, 2, *secured) as service:
        processes = service.pid, *pids_beside(service)
        for pid in processes:
            assert status(service, pid, context, OLD, *write) == 202
            assert status(service, pid, context, OLD, "GET /get_data") == 200
            assert status(service, pid, context, NEW, *write) == 401
            assert status(service, pid, context, NEW, "GET /get_data") == 401
        tokens.write_text(f"sensor:write:{NEW}\n")
        service.popen.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + _SECONDS
        for pid in processes:
            while status(service, pid, context, NEW, *write) != 202:
                assert time.monotonic() < deadline, f"{pid} knows no new token"
            assert status(service, pid, context, OLD, *write) == 401
            assert status(service, pid, context, NEW, "GET /get_data") == 403
        # Nothing has changed now, so that each reads again at the main process's word alone.
        before = reloads(service)
        assert min(before.values()) > 0, before
        service.popen.send_signal(signal.SIGHUP)
        while not all(reloads(service)[number] > before[number] for number in before):
            assert time.monotonic() < deadline + _SECONDS, f"before the signal {before}, then {reloads(service)}"
            time.sleep(0.05)
        assert service.stop() == 0


def reloads(service: Service) -> dict[int, int]:
    """How often each process has read tokens again."""
    told = [entry for entry in service.log if entry.get("event") == "reloaded" and entry["what"] == "tokens"]
    return {number: sum(entry.get("worker", 1) == number for entry in told) for number in (1, 2)}
