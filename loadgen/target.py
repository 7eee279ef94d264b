"""The service a run talks to, and the bytes of a request to it."""

from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import SplitResult, urlsplit

from loadgen.encode import Format

_PORTS: Final = {"http": 80, "https": 443}


class BadUrlError(ValueError):
    """A URL loadgen can't send to; the text says what would work."""


@dataclass(frozen=True)
class Target:
    """Where requests go. ``prefix`` is the URL's own path, "" for none; ``tls`` is whether it is https."""

    host: str
    port: int
    prefix: str
    tls: bool = False

    @classmethod
    def parse(cls, url: str) -> Self:
        parts = _parts(url)
        if parts.scheme not in _PORTS:
            raise BadUrlError(f"{url!r} is not an http:// or https:// URL; try http://127.0.0.1:5000")
        if "@" in parts.netloc:
            # Without the URL, for it may hold a password.
            raise BadUrlError(
                "a URL with a user or a password is of no use, for none is sent: give --token-file; try http://127.0.0.1:5000"
            )
        if not parts.hostname or parts.query or parts.fragment:
            raise BadUrlError(f"{url!r} is not the address of a service; try http://127.0.0.1:5000")
        return cls(parts.hostname, _port(url), parts.path.rstrip("/"), parts.scheme == "https")

    def head(self, form: Format, *, gzip: bool = False, token: str = "") -> bytes:
        """Everything of a request but the length of its body."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        encoding = "Content-Encoding: gzip\r\n" if gzip else ""
        authorization = f"Authorization: Bearer {token}\r\n" if token else ""
        return (
            f"POST {self.prefix}{form.path} HTTP/1.1\r\nHost: {host}:{self.port}\r\n"
            f"User-Agent: pulso-loadgen\r\n{authorization}"
            f"Content-Type: {form.content_type}\r\n{encoding}Content-Length: "
        ).encode("ascii")


def _parts(url: str) -> SplitResult:
    if not (url.isascii() and url.isprintable()) or " " in url:
        raise BadUrlError(
            f"{url!r} has characters that no URL has; write them like %C3%A9, or try http://127.0.0.1:5000"
        )
    try:
        return urlsplit(url)
    except ValueError as error:
        raise BadUrlError(f"{url!r} is not a URL; try http://127.0.0.1:5000") from error


def _port(url: str) -> int:
    try:
        port = _parts(url).port
    except ValueError as error:
        raise BadUrlError(f"{url!r} has no usable port; try http://127.0.0.1:5000") from error
    return _PORTS[_parts(url).scheme] if port is None else port
