"""Frames, as Grafana's backend makes them of InfluxDB's answer (influxql/buffered/response_parser.go)."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Value: TypeAlias = float | str | bool | None

_PATTERN = re.compile(r"\$(\w+)|\[\[(.+?)\]\]")


@dataclass(frozen=True, slots=True)
class Field:
    """A column: ``name`` is what the data calls it, ``shown`` what a person reads."""

    name: str
    values: Sequence[Value]
    shown: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def display_name(self) -> str:
        return self.shown or self.name


@dataclass(frozen=True, slots=True)
class Frame:
    """A table of columns of equal length, the answer to query ``ref``."""

    ref: str
    fields: tuple[Field, ...]

    def column(self, display_name: str) -> list[Value]:
        """One column's values. Raises AssertionError if there is not exactly one of that name."""
        found = [each for each in self.fields if each.display_name == display_name]
        names = [each.display_name for each in self.fields]
        assert len(found) == 1, f"one column {display_name!r} expected among {names}"
        return list(found[0].values)

    @property
    def columns(self) -> list[str]:
        return [each.display_name for each in self.fields]

    def rows(self) -> list[tuple[Value, ...]]:
        return list(zip(*(each.values for each in self.fields), strict=True))


def of_answer(ref: str, series: Sequence[Mapping[str, Any]], format_name: str, alias: str) -> list[Frame]:
    """The frames of one statement's series."""
    if format_name == "table":
        return [_table(ref, series)] if series else []
    return [frame for each in series for frame in _time_series(ref, each, alias)]


def _table(ref: str, series: Sequence[Mapping[str, Any]]) -> Frame:
    """All series as one table: the first column, then the tags, then the others."""
    columns = series[0]["columns"]

    def values(of: Callable[[Mapping[str, Any], list[Value]], Value]) -> list[Value]:
        return [of(each, row) for each in series for row in each["values"]]

    first = "Time" if columns[0] == "time" else columns[0]
    tags = sorted(series[0].get("tags", {}))
    return Frame(
        ref,
        (
            Field(first, values(lambda _, row: row[0])),
            *(Field(tag, values(lambda each, _, tag=tag: each["tags"][tag])) for tag in tags),  # type: ignore[misc]
            *(
                Field(column, values(lambda _, row, at=at: row[at]))  # type: ignore[misc]
                for at, column in enumerate(columns)
                if at > 0
            ),
        ),
    )


def _time_series(ref: str, series: Mapping[str, Any], alias: str) -> Iterator[Frame]:
    """A frame for each column beside the time."""
    tags = series.get("tags", {})
    times = [row[0] for row in series["values"]]
    for at, column in enumerate(series["columns"]):
        if column == "time":
            continue
        values = [row[at] for row in series["values"]]
        name = _named(alias, series["name"], column, tags) if alias else _unnamed(series["name"], column, tags)
        yield Frame(ref, (Field("Time", times), Field("Value", values, name, tags)))


def _named(alias: str, measurement: str, column: str, tags: Mapping[str, str]) -> str:
    def part(match: re.Match[str]) -> str:
        wanted = match[1] or match[2]
        if wanted in ("m", "measurement"):
            return measurement
        if wanted == "col":
            return column
        return tags.get(wanted.removeprefix("tag_"), match[0]) if wanted.startswith("tag_") else match[0]

    return _PATTERN.sub(part, alias)


def _unnamed(measurement: str, column: str, tags: Mapping[str, str]) -> str:
    labels = ", ".join(f"{tag}: {value}" for tag, value in tags.items())
    return f"{measurement}.{column}" + (f" {{ {labels} }}" if labels else "")
