"""Addresses that only this machine reaches."""

import pytest

from ingest.access.loopback import is_loopback


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
