"""TLS: the certificate of the service, and whose certificates clients need; both may change while it runs."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from ingest.access.exposed import exposed
from ingest.access.reload import Apply
from ingest.access.unusable import Unusable


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """The settings ``tls_certificate_file``, ``tls_key_file`` and ``tls_client_ca_file``, all PEM."""

    certificate: Path
    key: Path
    client_ca: Path | None

    def context(self) -> ssl.SSLContext:
        """Raises Unusable."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # Whoever resumes a session shows no certificate: it might have expired, or its authority been replaced. Of 1.3
        # no session is given out, but OpenSSL resumes one of 1.2 by its number, and Python cannot keep it from that.
        context.minimum_version = ssl.TLSVersion.TLSv1_3 if self.client_ca else ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        for setting, path in self.all().items():
            _look_into(setting, path)
        try:
            # Without a password at hand OpenSSL would ask for one at the terminal.
            context.load_cert_chain(self.certificate, self.key, password="")
        except ssl.SSLError as error:
            why = (
                "do not belong together"
                if error.reason == "KEY_VALUES_MISMATCH"
                else "must be PEM, the key not encrypted"
            )
            raise Unusable([f"tls_certificate_file, tls_key_file: {self.certificate} and {self.key} {why}"]) from None
        except OSError as error:
            # It was there a moment ago: whoever renews it is at it right now.
            raise Unusable([f"tls_certificate_file, tls_key_file: cannot be read ({error.strerror})"]) from None
        if self.client_ca:
            self._want_certificates(context, self.client_ca)
        return context

    def all(self) -> dict[str, Path]:
        """The files, by setting."""
        files = {"tls_certificate_file": self.certificate, "tls_key_file": self.key}
        return files | ({"tls_client_ca_file": self.client_ca} if self.client_ca else {})

    def _want_certificates(self, context: ssl.SSLContext, client_ca: Path) -> None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.num_tickets = 0
        context.options |= ssl.OP_NO_TICKET
        try:
            context.load_verify_locations(client_ca)
        except ssl.SSLError:
            raise Unusable([f"tls_client_ca_file: {client_ca} holds no certificate in PEM"]) from None
        except OSError as error:
            raise Unusable([f"tls_client_ca_file: {client_ca} cannot be read ({error.strerror})"]) from None


class Certificates:
    """``context`` is for the listening socket; each new connection gets the files as they were read last."""

    name = "certificates"

    def __init__(self, files: TlsFiles) -> None:
        """Raises Unusable."""
        self.files = list(files.all().values())
        self._files = files
        self._current = self.context = files.context()
        # Called in every handshake, also in one that names no server.
        self.context.sni_callback = self._choose

    def warnings(self) -> list[str]:
        """What is wrong though it works."""
        return exposed("tls_key_file", self._files.key)

    def read(self) -> Apply:
        context = self._files.context()

        def apply() -> dict[str, object]:
            self._current = context
            return {"files": [str(path) for path in self.files]}

        return apply

    def _choose(self, connection: ssl.SSLObject, _server: str, _context: ssl.SSLContext) -> None:
        connection.context = self._current


def _look_into(setting: str, path: Path) -> None:
    try:
        path.read_bytes()
    except OSError as error:
        raise Unusable([f"{setting}: {path} cannot be read ({error.strerror})"]) from None
