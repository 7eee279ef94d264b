"""HTTPS: certificates that change, clients' certificates, and whoever does not speak TLS."""

import http.client
import json
import signal
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from ingest.access.tls import TlsFiles
from ingest.access.unusable import Unusable
from tests.faults.service import Service, served

SECONDS = 20.0


class Place:
    """A folder with a certificate, its key and the authority of clients, as files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca = trustme.CA()
        self.clients = trustme.CA()
        self.certificate, self.key, self.client_ca = folder / "cert.pem", folder / "key.pem", folder / "clients.pem"
        self.clients.cert_pem.write_to_path(self.client_ca)
        self.issue()

    def issue(self) -> None:
        issued = self.ca.issue_cert("127.0.0.1", "localhost")
        issued.private_key_pem.write_to_path(self.key)
        self.key.chmod(0o640)
        self.certificate.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))

    @property
    def options(self) -> list[str]:
        return ["--tls-certificate-file", str(self.certificate), "--tls-key-file", str(self.key)]

    def trusting(self, own: trustme.LeafCert | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self.ca.configure_trust(context)
        if own:
            own.configure_cert(context)
        return context


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@contextmanager
def connected(service: Service, context: ssl.SSLContext) -> Iterator[http.client.HTTPSConnection]:
    port = int(service.url.rpartition(":")[2])
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=SECONDS)
    try:
        yield connection
    finally:
        connection.close()


def asked(connection: http.client.HTTPSConnection, path: str = "/ready") -> Any:
    connection.request("GET", path)
    answer = connection.getresponse()
    assert answer.status == 200, answer.status
    return json.loads(answer.read())


def certificate_of(service: Service, context: ssl.SSLContext) -> bytes:
    with connected(service, context) as connection:
        connection.connect()
        return connection.sock.getpeercert(binary_form=True) or b""


def test_https_and_what_does_not_speak_it_leaves_no_trace(tmp_path: Path, place: Place) -> None:
    with served(tmp_path / "data", *place.options) as service:
        port = int(service.url.rpartition(":")[2])
        for garbage in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01", b"\0" * 5000, b""):
            with socket.create_connection(("127.0.0.1", port), SECONDS) as plain:
                plain.sendall(garbage)
                plain.shutdown(socket.SHUT_WR)
                while plain.recv(1000):
                    pass
        strangers = ssl.create_default_context()
        with connected(service, strangers) as connection, pytest.raises(ssl.SSLCertVerificationError):
            connection.connect()
        with connected(service, place.trusting()) as connection:
            assert asked(connection)["ready"]
        assert service.stop(signal.SIGTERM) == 0
    assert [entry.get("event") for entry in service.log] == ["listening", "stopping", "stopped"]
    assert service.log[0]["url"] == f"https://127.0.0.1:{port}"


def test_a_new_certificate_is_for_new_connections_and_the_old_ones_go_on(tmp_path: Path, place: Place) -> None:
    with served(tmp_path / "data", *place.options) as service, connected(service, place.trusting()) as old:
        assert asked(old)["ready"]
        first = certificate_of(service, place.trusting())
        place.issue()
        deadline = time.monotonic() + SECONDS
        while certificate_of(service, place.trusting()) == first:
            assert time.monotonic() < deadline, "the new certificate is not shown"
        assert asked(old)["ready"]


def test_a_pair_that_does_not_fit_keeps_the_old_one_and_is_told_of(tmp_path: Path, place: Place) -> None:
    with served(tmp_path / "data", *place.options) as service:
        first = certificate_of(service, place.trusting())
        place.ca.issue_cert("127.0.0.1").private_key_pem.write_to_path(place.key)
        with connected(service, place.trusting()) as connection:
            deadline = time.monotonic() + SECONDS
            while not (warnings := asked(connection)["warnings"]):
                assert time.monotonic() < deadline, "nobody is told"
        assert "do not belong together; what was read before holds on" in warnings[0]
        assert certificate_of(service, place.trusting()) == first


def test_clients_without_a_certificate_of_the_authority_are_not_let_in(tmp_path: Path, place: Place) -> None:
    known = place.clients.issue_cert("sensor@example.org")
    yesterday = datetime.now(UTC) - timedelta(days=1)
    refused = [
        None,
        trustme.CA().issue_cert("sensor@example.org"),
        place.ca.issue_cert("sensor@example.org"),
        place.clients.issue_cert("sensor@example.org", not_after=yesterday),
    ]
    with served(tmp_path / "data", *place.options, "--tls-client-ca-file", str(place.client_ca)) as service:
        with connected(service, place.trusting(known)) as connection:
            assert asked(connection)["ready"]
        for own in refused:
            with connected(service, place.trusting(own)) as connection, pytest.raises((ssl.SSLError, OSError)):
                asked(connection)
        trustme.CA().cert_pem.write_to_path(place.client_ca)
        with pytest.raises((ssl.SSLError, OSError)):
            _ask_for(SECONDS, service, place.trusting(known))
        assert service.stop(signal.SIGTERM) == 0
    assert {entry.get("event") for entry in service.log} == {"listening", "reloaded", "stopping", "stopped"}


def _ask_for(seconds: float, service: Service, context: ssl.SSLContext) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with connected(service, context) as connection:
            asked(connection)


def test_a_key_that_all_may_read_is_warned_of(tmp_path: Path, place: Place) -> None:
    place.key.chmod(0o644)
    with served(tmp_path / "data", *place.options) as service, connected(service, place.trusting()) as connection:
        sentence = f"tls_key_file: every user of this machine may read {place.key}"
        assert asked(connection)["warnings"] == [sentence]
        assert sentence in [entry.get("warning") for entry in service.log]


def test_files_that_cannot_be_used_are_said_in_sentences(place: Place) -> None:
    encrypted, empty, nowhere = place.folder / "encrypted.pem", place.folder / "empty.pem", place.folder / "nowhere.pem"
    encrypted.write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIC\n-----END ENCRYPTED PRIVATE KEY-----\n")
    empty.touch()
    for files, sentence in (
        (TlsFiles(nowhere, place.key, None), "tls_certificate_file: .* cannot be read"),
        (TlsFiles(place.certificate, nowhere, None), "tls_key_file: .* cannot be read"),
        (TlsFiles(place.certificate, encrypted, None), "must be PEM, the key not encrypted"),
        (TlsFiles(empty, place.key, None), "must be PEM"),
        (TlsFiles(place.certificate, place.key, empty), "tls_client_ca_file: .* holds no certificate"),
    ):
        with pytest.raises(Unusable, match=sentence):
            files.context()


class Vanishing(type(Path())):  # type: ignore[misc]
    """A file that whoever renews it takes away just after it was looked at."""

    def read_bytes(self) -> bytes:
        content: bytes = super().read_bytes()
        self.unlink()
        return content


@pytest.mark.parametrize("name", ["certificate", "key", "client_ca"])
def test_a_file_that_goes_while_it_is_read_is_a_sentence(place: Place, name: str) -> None:
    files = TlsFiles(place.certificate, place.key, place.client_ca)
    with pytest.raises(Unusable, match="cannot be read"):
        replace(files, **{name: Vanishing(getattr(files, name))}).context()


def test_who_shows_a_certificate_resumes_no_session_without_one(tmp_path: Path, place: Place) -> None:
    known = place.trusting(place.clients.issue_cert("sensor@example.org"))
    with served(tmp_path / "data", *place.options, "--tls-client-ca-file", str(place.client_ca)) as service:
        with connected(service, known) as connection:
            assert asked(connection)["ready"]
            assert connection.sock.version() == "TLSv1.3"
            session = connection.sock.session
            assert session is None or not session.has_ticket
        # OpenSSL keeps sessions of 1.2 by their number, and whoever resumes one shows nothing.
        known.maximum_version = ssl.TLSVersion.TLSv1_2
        with connected(service, known) as connection, pytest.raises((ssl.SSLError, OSError)):
            connection.connect()


def test_nothing_older_than_tls_1_2(place: Place) -> None:
    context = TlsFiles(place.certificate, place.key, None).context()
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
