"""What the service asks of those who call it: a token, and whom to believe that it is the service."""

import os
import ssl
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Final

import msgspec

from loadgen.target import Target

TOKEN_VARIABLE: Final = "LOADGEN_TOKEN"  # noqa: S105 - a name


class BadAccessError(ValueError):
    """A token or a file that is of no use; the text says why, and shows no token."""


class Access(msgspec.Struct, frozen=True):
    """Beside the plan, and in no file: results are shown around. ``ca_file`` holds authorities beside the system's."""

    token: str = ""
    ca_file: str | None = None

    def __repr__(self) -> str:
        return f"Access(token={'…' if self.token else ''!r}, ca_file={self.ca_file!r})"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self.ca_file is not None:
            context.load_verify_locations(self.ca_file)
        return context

    def context_for(self, target: Target) -> ssl.SSLContext | None:
        """None for plain HTTP."""
        return self.context() if target.tls else None


OPEN: Final = Access()


def add_access(command: ArgumentParser) -> None:
    add = command.add_argument
    add(
        "--token-file",
        type=Path,
        metavar="FILE",
        help=f"file of the token that the service wants; or the variable {TOKEN_VARIABLE} holds it",
    )
    add(
        "--ca-file",
        type=Path,
        metavar="FILE",
        help="PEM file of the authority that an https:// service is to be believed by, if the system does not know it",
    )


def access_of(options: Namespace) -> Access:
    """Raises BadAccessError."""
    token = _token(options.token_file) if options.token_file else os.environ.get(TOKEN_VARIABLE, "").strip()
    source = options.token_file or f"the variable {TOKEN_VARIABLE}"
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise BadAccessError(f"{source} holds no token: that is one line of ASCII without blanks")
    access = Access(token, str(options.ca_file) if options.ca_file else None)
    try:
        access.context()
    except OSError as error:
        raise BadAccessError(f"{options.ca_file} is no PEM file of certificates that can be read") from error
    return access


def _token(path: Path) -> str:
    try:
        token = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadAccessError(f"{path} can't be read: {getattr(error, 'strerror', 'it is not text')}") from error
    if not token:
        raise BadAccessError(f"{path} is empty; it should hold the token")
    return token
