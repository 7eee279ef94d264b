from argparse import ArgumentTypeError

import pytest

from loadgen import arguments
from loadgen.plan import Stage


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


def test_a_fleet_has_an_end() -> None:
    assert arguments.sensors("10000000") == 10_000_000
    with pytest.raises(ArgumentTypeError, match="up to 10000000 sensors"):
        arguments.sensors("10000001")


def test_times_are_unix_ms_or_iso() -> None:
    assert arguments.time_ms("1000") == arguments.time_ms("1970-01-01T00:00:01Z") == 1000
    assert arguments.time_ms("9999-12-31T23:59:59.999") == 253_402_300_799_999


@pytest.mark.parametrize("text", ["99999999999999999", "253402300800000", "1969-12-31", "0001-01-01T00:00:00+14:00"])
def test_times_out_of_range_are_refused_with_one_that_works(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="years 1970 to 9999; write a time like 2026"):
        arguments.time_ms(text)


def test_a_port_fits_in_two_bytes() -> None:
    assert arguments.port("65535") == 65535
    with pytest.raises(ArgumentTypeError, match="65535"):
        arguments.port("65536")


def test_a_ramp_goes_from_rate_to_rate_and_steps_hold_each() -> None:
    assert arguments.ramp("0:50000:60s") == [Stage(0, 50_000, 60)]
    assert arguments.steps("1000,0,0.5:1.5m") == [Stage(1000, 1000, 90), Stage(0, 0, 90), Stage(0.5, 0.5, 90)]


@pytest.mark.parametrize("text", ["", "0:100", "100:60s", "0:100:60", "0:100:0s", "a:100:60s", "0:-1:60s", "0:1:2:60s"])
def test_other_ramps_are_refused_with_one_that_works(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match=r"0:50000:60s|write events a second|write it like 500ms|is 1ms"):
        arguments.ramp(text)


@pytest.mark.parametrize("text", ["", "100", "100,200", ":60s", "100,:60s", "100:60", "1;2:60s"])
def test_other_steps_are_refused_with_some_that_work(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match=r"5000,20000:30s|write events a second|write it like 500ms"):
        arguments.steps(text)
