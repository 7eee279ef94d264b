"""The tokens that are known: read from text, looked up without a hint to whoever guesses."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from ingest.access.client import ANONYMOUS, Client, Right
from ingest.access.unusable import Unusable

LEAST_CHARACTERS: Final = 16
MOST_CHARACTERS: Final = 512
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
# RFC 6750's, so that any client's header can carry it; without a colon, which ends a user name.
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/=-]+")


@dataclass(frozen=True, slots=True)
class Token:
    """A token, and whose it is."""

    client: Client
    text: str = field(repr=False)


def parse_tokens(text: str) -> list[Token]:
    """``NAME:RIGHT:TOKEN``, separated by commas or white space; ``#`` and what follows on its line is a comment.

    Raises Unusable, also where there is none at all.
    """
    tokens: list[Token] = []
    errors: list[str] = []
    for number, entry in enumerate(_entries(text), 1):
        token = _token(entry)
        if isinstance(token, Token):
            tokens.append(token)
        else:
            errors.append(f"token {number}: {token}")
    if not tokens and not errors:
        errors.append("there is no token")
    errors += repeated(tokens)
    if errors:
        raise Unusable(errors)
    return tokens


def repeated(tokens: Iterable[Token]) -> list[str]:
    """A sentence for each name and each text that is not the only one of its kind."""
    names: set[str] = set()
    texts: dict[str, str] = {}
    errors = []
    for token in tokens:
        name = token.client.name
        if name in names:
            errors.append(f"two tokens are named {name}")
        elif token.text in texts:
            errors.append(f"{texts[token.text]} and {name} have the same token")
        names.add(name)
        texts.setdefault(token.text, name)
    return errors


def _entries(text: str) -> Iterator[str]:
    for line in text.splitlines():
        yield from line.partition("#")[0].replace(",", " ").split()


def _token(entry: str) -> Token | str:
    """The token, or what is wrong with it: without its name, for in a mistaken order that is the token."""
    parts = entry.split(":")
    if len(parts) != 3:
        return "is not like NAME:RIGHT:TOKEN"
    name, right, text = parts
    if right not in list(Right):
        return f"the right must be {', '.join(Right)}"
    if not _NAME.fullmatch(name) or name == ANONYMOUS.name:
        return f"the name must be up to 64 letters, digits, '.', '_' or '-', and not {ANONYMOUS.name}"
    if not LEAST_CHARACTERS <= len(text) <= MOST_CHARACTERS:
        return f"the token must have {LEAST_CHARACTERS} to {MOST_CHARACTERS} characters"
    if not _TOKEN.fullmatch(text):
        return "the token may hold letters, digits and . _ ~ + / = - alone"
    return Token(Client(name, Right(right)), text)


class KnownTokens:
    """Looked up by a hash under a key that nobody knows: how long that takes tells nothing of a token, nor how many."""

    def __init__(self, tokens: Iterable[Token] = ()) -> None:
        self._key = secrets.token_bytes(32)
        self._clients = {(digest := self._digest(token.text.encode())): (digest, token.client) for token in tokens}

    def __bool__(self) -> bool:
        return bool(self._clients)

    def clients(self) -> list[Client]:
        return [client for _, client in self._clients.values()]

    def client(self, text: bytes) -> Client | None:
        """Whose token it is, None if nobody's."""
        digest = self._digest(text)
        known, client = self._clients.get(digest, (digest, None))
        return client if hmac.compare_digest(digest, known) else None

    def _digest(self, text: bytes) -> bytes:
        return hashlib.blake2b(text, key=self._key, digest_size=32).digest()
