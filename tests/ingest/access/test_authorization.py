"""The token in an Authorization header."""

import base64

import pytest

from ingest.access.authorization import token_in


def basic(text: bytes) -> str:
    return base64.b64encode(text).decode()


@pytest.mark.parametrize(
    "header",
    [
        "Bearer tok",
        "bearer tok",
        "BEARER   tok  ",
        "Token tok",
        "token tok",
        "Token user:tok",
        "Basic " + basic(b"user:tok"),
        "basic " + basic(b":tok"),
        "Basic " + basic("josé:tok".encode()),
    ],
)
def test_every_way_to_send_it(header: str) -> None:
    assert token_in([header]) == b"tok"


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [""],
        ["tok"],
        ["Bearer"],
        ["Bearer "],
        ["Bearer\ttok"],
        ["Token user:"],
        ["Basic"],
        ["Basic tok"],
        ["Basic " + basic(b"user:")],
        ["Basic " + basic(b"user:tok") + "!"],
        ["Basic " + basic(b"user:tok")[:-1]],
        ["Digest tok"],
        ["Bearer tök"],
        ["Bearer tok\udcff"],
        ["Bearer tok", "Bearer tok"],
    ],
)
def test_what_holds_none(headers: list[str]) -> None:
    assert token_in(headers) is None
