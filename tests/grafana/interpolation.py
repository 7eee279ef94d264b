"""Variables and macros, filled in as Grafana 12's InfluxDB datasource does for InfluxQL.

The browser fills in the variables (interpolateQueryExpr): an array becomes ``(a|b)`` with each part escaped, of one
part too; a string is escaped where the variable is of many values or stands inside a regex; «All» is its ``allValue``
as it is, else every option. The backend then replaces ``$timeFilter``, ``$__interval`` and ``$__interval_ms``.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tests.grafana.intervals import written
from tools.dashboards.files import Variable

ALL = "$__all"

Choice: TypeAlias = str | Sequence[str]

_REFERENCE = re.compile(r"\$(\w+)|\[\[(\w+)(?::(\w+))?\]\]|\$\{(\w+)(?::(\w+))?\}")
_SPECIAL = re.compile(r"[\\^$*+?.()|\[\]{}/]")
_TO_THE_BACKEND = frozenset({"timeFilter", "interval", "__interval", "__interval_ms"})


class UnknownReferenceError(Exception):
    """A query names a variable that its dashboard does not have; Grafana would send the name itself."""


@dataclass(frozen=True, slots=True)
class TimeRange:
    """What the time picker says, in Unix milliseconds; both ends are inside."""

    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class Selection:
    """What is chosen in the drop-downs; ``options`` are what «All» stands for where there is no ``allValue``."""

    variables: Mapping[str, Variable]
    chosen: Mapping[str, Choice]
    options: Mapping[str, Sequence[str]]


def in_browser(text: str, selection: Selection, time_range: TimeRange, *, strict: bool = True) -> str:
    """Fill in the variables and ``$__from``/``$__to``. Raises UnknownReferenceError if ``strict``."""
    times = {"__from": str(time_range.from_ms), "__to": str(time_range.to_ms)}

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2] or match[4]
        if name in times:
            return times[name]
        if name in selection.variables:
            return _formatted(selection, selection.variables[name], match[3] or match[5], text)
        if strict and name not in _TO_THE_BACKEND:
            raise UnknownReferenceError(f"{match[0]} in {text!r}")
        return match[0]

    return _REFERENCE.sub(value, text)


def in_backend(query: str, time_range: TimeRange, interval_ms: int) -> str:
    """Replace the datasource's macros, in the backend's order."""
    time_filter = f"time >= {time_range.from_ms}ms and time <= {time_range.to_ms}ms"
    for macro, text in (
        ("$timeFilter", time_filter),
        ("$interval", written(interval_ms)),
        ("$__interval_ms", str(interval_ms)),
        ("$__interval", written(interval_ms)),
    ):
        query = query.replace(macro, text)
    return query


def _formatted(selection: Selection, variable: Variable, format_name: str | None, query: str) -> str:
    chosen = selection.chosen.get(variable.name, variable.default)
    if chosen in (ALL, [ALL]):
        if variable.all_value is not None:
            return variable.all_value
        chosen = selection.options[variable.name]
    if format_name in ("raw", "text"):
        return chosen if isinstance(chosen, str) else ",".join(chosen)
    if format_name == "regex" or variable.multi or _inside_a_regex(variable.name, query):
        return _as_regex(chosen, of_one_bare=format_name == "regex")
    if not isinstance(chosen, str):
        raise UnknownReferenceError(f"${variable.name} has many values and stands outside a regex in {query!r}")
    return chosen


def _as_regex(chosen: Choice, *, of_one_bare: bool) -> str:
    if isinstance(chosen, str):
        return _escaped(chosen)
    parts = [_escaped(each) for each in chosen]
    return parts[0] if of_one_bare and len(parts) == 1 else f"({'|'.join(parts)})"


def _escaped(value: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", value)


def _inside_a_regex(name: str, query: str) -> bool:
    return any(f"${name}" in regex for regex in re.findall(r"[=!]~\s*/([^/]*)/", query))
