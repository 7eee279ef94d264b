"""Addresses that only this machine reaches."""

import pytest

from ingest.access.loopback import is_loopback, resolves


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.8.7", "127.1", "::1", "localhost", "::ffff:127.0.0.1"])
def test_what_only_this_machine_reaches(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "0.0.0.0",
        "0",
        "::",
        "192.0.2.1",
        "2001:db8::1",
        "::ffff:192.0.2.1",
        "no such name",
        "nowhere.invalid",
        "é" * 80,
    ],
)
def test_what_others_may_reach(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(("host", "does"), [("", True), ("0.0.0.0", True), ("::1", True), ("nowhere.invalid", False)])
def test_whether_a_name_is_an_address_at_all(host: str, does: bool) -> None:
    assert resolves(host) is does
