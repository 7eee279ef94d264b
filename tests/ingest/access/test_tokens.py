"""Lists of tokens, and looking one up."""

import pytest

from ingest.access.client import Client, Right
from ingest.access.tokens import KnownTokens, Token, parse_tokens
from ingest.access.unusable import Unusable

SECRET = "s3cr3t-0123456789abcdef"
OTHER = "other-0123456789abcdef=="


def test_names_rights_and_tokens_by_commas_and_lines_with_comments() -> None:
    text = f"# who\r\n  telegraf:write:{SECRET}  # the gateway\n\n,page:read:{OTHER}, admin:all:{'x' * 512}\n"
    assert parse_tokens(text) == [
        Token(Client("telegraf", Right.WRITE), SECRET),
        Token(Client("page", Right.READ), OTHER),
        Token(Client("admin", Right.ALL), "x" * 512),
    ]


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ("", ["there is no token"]),
        ("# none\n , \n", ["there is no token"]),
        (SECRET, ["token 1: is not like NAME:RIGHT:TOKEN"]),
        (f"a:write:{SECRET}:x", ["token 1: is not like NAME:RIGHT:TOKEN"]),
        (f"{SECRET}:write:telegraf", ["token 1: the token must have 16 to 512 characters"]),
        (f"a:Write:{SECRET}", ["token 1: the right must be write, read, all"]),
        (
            f"a:all:{OTHER} anonymous:all:{SECRET}",
            ["token 2: the name must be up to 64 letters, digits, '.', '_' or '-', and not anonymous"],
        ),
        (
            f"a/b:all:{SECRET}",
            ["token 1: the name must be up to 64 letters, digits, '.', '_' or '-', and not anonymous"],
        ),
        ("a:all:" + "x" * 15, ["token 1: the token must have 16 to 512 characters"]),
        ("a:all:" + "x" * 513, ["token 1: the token must have 16 to 512 characters"]),
        (f"a:all:{SECRET}$", ["token 1: the token may hold letters, digits and . _ ~ + / = - alone"]),
        (f"a:all:{SECRET}é", ["token 1: the token may hold letters, digits and . _ ~ + / = - alone"]),
        (f"a:all:{SECRET} a:all:{OTHER}", ["two tokens are named a"]),
        (f"a:all:{SECRET} b:read:{SECRET}", ["a and b have the same token"]),
        (f"x a:all:{SECRET} y", ["token 1: is not like NAME:RIGHT:TOKEN", "token 3: is not like NAME:RIGHT:TOKEN"]),
    ],
)
def test_what_is_no_list_of_tokens_is_said_in_sentences_without_a_token(text: str, errors: list[str]) -> None:
    with pytest.raises(Unusable) as caught:
        parse_tokens(text)
    assert caught.value.errors == errors
    assert SECRET not in str(caught.value)


def test_a_token_is_found_whole_or_not_at_all() -> None:
    known = KnownTokens(parse_tokens(f"a:write:{SECRET} b:read:{OTHER}"))
    assert known.client(SECRET.encode()) == Client("a", Right.WRITE)
    assert known.client(OTHER.encode()) == Client("b", Right.READ)
    for wrong in ("", SECRET[:-1], SECRET + "x", SECRET.upper(), f"{SECRET}\n", "\0", "x" * 100_000):
        assert known.client(wrong.encode()) is None, wrong[:40]
    assert KnownTokens().client(b"") is None


def test_no_representation_shows_a_token() -> None:
    tokens = parse_tokens(f"a:write:{SECRET}")
    assert SECRET not in repr((tokens, KnownTokens(tokens), vars(KnownTokens(tokens))))
