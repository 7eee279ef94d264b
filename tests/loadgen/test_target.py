import pytest

from loadgen.encode import FORMATS
from loadgen.target import BadUrlError, Target


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://127.0.0.1:5000", Target("127.0.0.1", 5000, "")),
        ("http://ingest/", Target("ingest", 80, "")),
        ("https://ingest", Target("ingest", 443, "", tls=True)),
        ("http://[::1]:5000/pulso/", Target("::1", 5000, "/pulso")),
    ],
)
def test_urls_understood(url: str, target: Target) -> None:
    assert Target.parse(url) == target


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a",
        "localhost:5000",
        "http://",
        "http://a:x",
        "http://a:99999",
        "http://a?b",
        "http://a/é",
        "http://é",
        "http://a/b c",
        "http://a/b\r\nX: y",
        "http://[::1",
        "http://@a",
    ],
)
def test_urls_refused_name_one_that_works(url: str) -> None:
    with pytest.raises(BadUrlError, match=r"try http://127\.0\.0\.1:5000$"):
        Target.parse(url)


def test_credentials_are_refused_and_not_repeated() -> None:
    with pytest.raises(BadUrlError, match="of no use") as raised:
        Target.parse("http://user:secret@127.0.0.1:5000")
    assert "secret" not in str(raised.value)


def test_the_head_of_a_request() -> None:
    head = Target("::1", 5000, "/pulso").head(FORMATS["lp"]).decode()
    assert head.startswith("POST /pulso/api/v2/write?precision=ms HTTP/1.1\r\nHost: [::1]:5000\r\n")
