"""What is for another site, and by what names the service may be called."""

import pytest

from ingest.access.browsers import HostNames, is_a_visit, is_for_another_site


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://pulso.example", "Host": "ingest:5000"},
        {"Origin": "http://192.0.2.1:5000", "Host": "192.0.2.1:5000"},
        {"Origin": "https://Pulso.example", "Host": "pulso.example"},
    ],
)
def test_what_is_not_for_another_site(headers: dict[str, str]) -> None:
    assert not is_for_another_site(headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": ""},
        {"Sec-Fetch-Site": "what comes next"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:5000", "Host": "127.0.0.1:5000"},
        {"Origin": "http://evil.example", "Host": "192.0.2.1:5000"},
        {"Origin": "http://192.0.2.1:5001", "Host": "192.0.2.1:5000"},
        {"Origin": "null", "Host": "192.0.2.1:5000"},
        {"Origin": "null"},
        {"Origin": ""},
    ],
)
def test_what_is_for_another_site(headers: dict[str, str]) -> None:
    assert is_for_another_site(headers)


def test_a_followed_link_is_a_visit_and_an_image_or_a_frame_is_none() -> None:
    assert is_a_visit({"Sec-Fetch-Dest": "document"})
    assert not any(is_a_visit({"Sec-Fetch-Dest": kind}) for kind in ("image", "iframe", "empty", "object"))
    assert not is_a_visit({})


@pytest.mark.parametrize(
    "host",
    [
        "",
        "127.0.0.1:5000",
        "192.0.2.7",
        "[::1]:5000",
        "localhost",
        "LOCALHOST:5000",
        "ingest:5000",
        "a.localhost",
        "Pulso.Example.org.:80",
    ],
)
def test_names_that_no_stranger_can_give(host: str) -> None:
    assert HostNames(["pulso.example.org"]).know(host)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:5000",
        "example.org",
        "x.pulso.example.org",
        "127.0.0.1.evil.example",
        "[::1",
        "evil.example@127.0.0.1.evil.example",
        "localhost.evil.example",
    ],
)
def test_names_that_may_be_anybodys(host: str) -> None:
    assert not HostNames(["pulso.example.org"]).know(host)
