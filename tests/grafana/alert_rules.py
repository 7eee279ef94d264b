"""The provisioned alert rules, and what they say: queries, then expressions, then the state of each series.

As Grafana's server-side expressions do it: *reduce* with ``last`` takes the newest value of each series, *threshold*
compares it; a series is named by its labels. A query without series is no data.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.grafana.frames import Frame, Value
from tests.grafana.grafana import Grafana
from tests.grafana.interpolation import TimeRange
from tools.dashboards.files import PROVISIONING, Target, target

EXPRESSION = "__expr__"

Labels = frozenset[tuple[str, str]]


class UnknownExpressionError(Exception):
    """An expression that this module has no rule for."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule's file part; durations in seconds. ``raw`` is its YAML."""

    uid: str
    title: str
    group_interval: int
    window: int
    pending: int
    no_data_state: str
    query: Target
    raw: Mapping[str, Any]


def rules(folder: Path = PROVISIONING / "alerting") -> list[Rule]:
    """All rules of all files."""
    return [rule for path in sorted(folder.glob("*.yaml")) for rule in _rules(yaml.safe_load(path.read_text()))]


async def firing(grafana: Grafana, rule: Rule, now_ms: int) -> set[Labels]:
    """The labels of each series that is over (or under) the limit; of no labels if no data means the same."""
    frames = await grafana.rule_query(rule.query, TimeRange(now_ms - rule.window * 1000, now_ms))
    if not frames:
        return {frozenset()} if rule.no_data_state == "Alerting" else set()
    return {labels for labels, value in _reduced(rule, frames).items() if value is not None and _is_over(rule, value)}


def _reduced(rule: Rule, frames: Sequence[Frame]) -> dict[Labels, float | None]:
    model = _model(rule, "B")
    if (model["type"], model["expression"], model["reducer"]) != ("reduce", rule.query.ref, "last"):
        raise UnknownExpressionError(str(model))
    reduced: dict[Labels, float | None] = {}
    for frame in frames:
        labels = frozenset(frame.fields[1].labels.items())
        # Grafana refuses a rule whose series cannot be told apart.
        assert labels not in reduced, f"{rule.uid}: two series have the labels {dict(labels)}"
        reduced[labels] = _number(frame.fields[1].values[-1])
    return reduced


def _is_over(rule: Rule, value: float) -> bool:
    model = _model(rule, str(rule.raw["condition"]))
    (condition,) = model["conditions"]
    if (model["type"], model["expression"]) != ("threshold", "B"):
        raise UnknownExpressionError(str(model))
    (limit,) = condition["evaluator"]["params"]
    return bool({"gt": value > limit, "lt": value < limit}[condition["evaluator"]["type"]])


def _number(value: Value) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def _model(rule: Rule, ref: str) -> Mapping[str, Any]:
    (found,) = [each["model"] for each in rule.raw["data"] if each["refId"] == ref]
    model: Mapping[str, Any] = found
    return model


def _rules(raw: Mapping[str, Any]) -> Iterator[Rule]:
    for group in raw["groups"]:
        for each in group["rules"]:
            (asked,) = [one for one in each["data"] if one["datasourceUid"] != EXPRESSION]
            yield Rule(
                each["uid"],
                each["title"],
                _seconds(group["interval"]),
                asked["relativeTimeRange"]["from"],
                _seconds(each["for"]),
                each["noDataState"],
                target(asked["model"]),
                each,
            )


def _seconds(text: str) -> int:
    return int(text[:-1]) * {"s": 1, "m": 60}[text[-1]]
