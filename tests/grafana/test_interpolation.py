"""Variables and macros as Grafana fills them in."""

import pytest

from tests.grafana.interpolation import ALL, Choice, Selection, TimeRange, UnknownReferenceError, in_backend, in_browser
from tools.dashboards.files import Variable

RANGE = TimeRange(1_000, 61_000)


def _selection(chosen: Choice, *, multi: bool = True, all_value: str | None = ".*") -> Selection:
    variable = Variable("region", "query", "", "pulso-rollup", multi, all_value, include_all=True, default=ALL)
    return Selection({"region": variable}, {"region": chosen}, {"region": ["sul", "norte"]})


@pytest.mark.parametrize(
    ("chosen", "filled"),
    [
        ([ALL], "region =~ /^.*$/"),
        (ALL, "region =~ /^.*$/"),
        (["sul"], "region =~ /^(sul)$/"),
        (["sul", "centro-oeste"], "region =~ /^(sul|centro-oeste)$/"),
        (["a.b"], r"region =~ /^(a\.b)$/"),
        ("a.b", r"region =~ /^a\.b$/"),
    ],
)
def test_a_variable_inside_a_regex(chosen: Choice, filled: str) -> None:
    assert in_browser("region =~ /^$region$/", _selection(chosen), RANGE) == filled


def test_all_without_an_all_value_is_every_option() -> None:
    assert in_browser("region =~ /^$region$/", _selection([ALL], all_value=None), RANGE) == "region =~ /^(sul|norte)$/"


def test_a_single_value_outside_a_regex_stays_as_it_is() -> None:
    assert in_browser("LIMIT $region", _selection("a.b", multi=False), RANGE) == "LIMIT a.b"


def test_the_regex_format_has_no_brackets_around_one_value() -> None:
    assert in_browser("/^${region:regex}$/", _selection(["a.b"]), RANGE) == r"/^a\.b$/"


def test_an_unknown_variable_is_an_error() -> None:
    with pytest.raises(UnknownReferenceError, match="regiao"):
        in_browser("region =~ /^$regiao$/", _selection([ALL]), RANGE)


def test_macros() -> None:
    query = in_browser(
        "$timeFilter AND time > ${__from}ms - 1m GROUP BY time($__interval) $__interval_ms", _selection([ALL]), RANGE
    )

    assert in_backend(query, RANGE, 120_000) == (
        "time >= 1000ms and time <= 61000ms AND time > 1000ms - 1m GROUP BY time(2m) 120000"
    )
