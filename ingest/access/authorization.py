"""The header ``Authorization``, as InfluxDB's clients and browsers send it."""

import base64
from collections.abc import Sequence


def token_in(values: Sequence[str]) -> bytes | None:
    """The token in the request's ``Authorization`` headers; None if that is not exactly one that holds one.

    ``Bearer TOKEN``, ``Token TOKEN``, ``Token USER:TOKEN`` and ``Basic`` with the token as the password of any user.
    """
    if len(values) != 1 or not values[0].isascii():
        return None
    scheme, _, credentials = values[0].partition(" ")
    match scheme.lower():
        case "bearer":
            return credentials.strip(" ").encode() or None
        case "token":
            return _password(credentials.strip(" ").encode()) or None
        case "basic":
            return _decoded(credentials.strip(" ")) or None
    return None


def is_empty(values: Sequence[str]) -> bool:
    """Whether no token is sent: InfluxDB's clients send ``Token`` and nothing after it where they have none."""
    return not values or (len(values) == 1 and values[0].strip(" ").lower() in ("token", "bearer"))


def _decoded(credentials: str) -> bytes:
    try:
        return _password(base64.b64decode(credentials, validate=True))
    except ValueError:
        return b""


def _password(credentials: bytes) -> bytes:
    user, colon, password = credentials.partition(b":")
    return password if colon else user
