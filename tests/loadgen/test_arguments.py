from argparse import ArgumentTypeError

import pytest

from loadgen import arguments


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("60s", 60),
        ("5m", 300),
        ("1h", 3600),
        ("1.5s", 1.5),
        ("0", None),
        ("0s", None),
        ("forever", None),
    ],
)
def test_durations(text: str, seconds: float | None) -> None:
    assert arguments.limit_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "60", "1d", "-5s", "s", "5 s", "٣s", "infs"])
def test_other_durations_are_refused_with_one_that_works(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="write it like 500ms, 60s, 5m or 1h"):
        arguments.limit_seconds(text)


@pytest.mark.parametrize("text", ["x", "-1", "nan", "inf", "1e12", "1e-9"])
def test_rates_nobody_can_send_are_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match=r"write events a second|the slowest rate"):
        arguments.rate(text)


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "", "²", "ten"])
def test_whole_numbers_start_at_one(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="whole number from 1 up"):
        arguments.positive(text)


def test_no_answer_comes_within_no_time() -> None:
    with pytest.raises(ArgumentTypeError, match="write for example 30s"):
        arguments.timeout_seconds("0s")


def test_a_port_fits_in_two_bytes() -> None:
    assert arguments.port("65535") == 65535
    with pytest.raises(ArgumentTypeError, match="65535"):
        arguments.port("65536")
