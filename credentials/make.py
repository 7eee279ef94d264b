"""Make the secrets that are not there yet."""

import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

from credentials.declared import CREDENTIALS, INGEST, INGEST_TOKENS
from influx.tokens import read_secret, write_secret


def make(folder: Path, groups: Mapping[str, int]) -> Iterator[str]:
    """The names of the files made. One that is there already is kept: servers know its text.

    ``groups`` says which group (a gid) reads a service's secrets; without one only the owner does.
    Raises OSError, Refused.
    """
    for credential in CREDENTIALS:
        path = folder / credential.file
        if not read_secret(path):
            write_secret(path, secrets.token_hex(credential.entropy_bytes), groups.get(credential.service))
            yield credential.file
    tokens = "".join(f"{line}\n" for line in _ingest_tokens(folder))
    if read_secret(folder / INGEST_TOKENS) != tokens.strip():
        write_secret(folder / INGEST_TOKENS, tokens, groups.get(INGEST))
        yield INGEST_TOKENS


def _ingest_tokens(folder: Path) -> Iterator[str]:
    for credential in CREDENTIALS:
        if credential.right:
            yield f"{credential.file.removesuffix('.token')}:{credential.right}:{read_secret(folder / credential.file)}"
