"""The few of Grafana's transformations that the dashboards use, by the source of @grafana/data.

One that is not here raises UnknownTransformationError: write its rule down, and try it against the real one.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tests.grafana.frames import Field, Frame, Value

_REDUCERS: Mapping[str, tuple[str, Callable[[list[Value]], Value]]] = {
    "sum": ("Total", lambda values: sum(value for value in values if isinstance(value, (int, float)))),
    "lastNotNull": ("Last *", lambda values: next((value for value in reversed(values) if value is not None), None)),
}


class UnknownTransformationError(Exception):
    """A transformation, or an option of one, that this module does not know."""


def transformed(frames: Sequence[Frame], transformations: Sequence[Mapping[str, Any]]) -> list[Frame]:
    """The frames after each transformation in turn. Raises UnknownTransformationError."""
    result = list(frames)
    for each in transformations:
        if each["id"] not in _TRANSFORMATIONS:
            raise UnknownTransformationError(each["id"])
        if not each.get("disabled"):
            result = _TRANSFORMATIONS[each["id"]](result, each.get("options", {}))
    return result


def _reduce(frames: list[Frame], options: Mapping[str, Any]) -> list[Frame]:
    """Each field but the time becomes a row of one table: its name and its reduced values."""
    _allow(options, {"reducers", "mode"})
    fields = [field for frame in frames for field in frame.fields if field.name != "Time"]
    if not fields:
        return []
    reducers = [_REDUCERS[each] for each in options["reducers"]]
    return [
        Frame(
            "reduced",
            (
                Field("Field", [field.display_name for field in fields]),
                *(Field(name, [reduced(list(field.values)) for field in fields]) for name, reduced in reducers),
            ),
        )
    ]


def _group_by(frames: list[Frame], options: Mapping[str, Any]) -> list[Frame]:
    """One row for each value of the field that is grouped by, in the order they come; the others are summed."""
    _allow(options, {"fields"})
    (key,) = [name for name, of in options["fields"].items() if of["operation"] == "groupby"]
    summed = [name for name, of in options["fields"].items() if of["operation"] == "aggregate"]
    if any(options["fields"][name]["aggregations"] != ["sum"] for name in summed):
        raise UnknownTransformationError(f"groupBy {options}")

    def grouped(frame: Frame) -> Frame:
        keys = frame.column(key)
        totals: dict[str, dict[Value, float]] = {name: dict.fromkeys(keys, 0) for name in summed}
        for name in summed:
            for at, value in zip(keys, frame.column(name), strict=True):
                totals[name][at] += value if isinstance(value, (int, float)) else 0
        sums = (Field(f"{name} (sum)", list(of.values())) for name, of in totals.items())
        return Frame(frame.ref, (Field(key, list(dict.fromkeys(keys))), *sums))

    return [grouped(frame) for frame in frames]


def _sort_by(frames: list[Frame], options: Mapping[str, Any]) -> list[Frame]:
    """Rows by the first named field: texts without regard to case, in the order of ICU's root collation."""
    _allow(options, {"fields", "sort"})
    (sort,) = options["sort"]

    def sorted_frame(frame: Frame) -> Frame:
        column = frame.column(sort["field"])
        order = sorted(range(len(column)), key=lambda at: _collated(column[at]), reverse=sort.get("desc", False))
        return replace(
            frame, fields=tuple(replace(field, values=[field.values[at] for at in order]) for field in frame.fields)
        )

    return [sorted_frame(frame) for frame in frames]


def _organize(frames: list[Frame], options: Mapping[str, Any]) -> list[Frame]:
    """Fields left out, put in order (those without a place last) and renamed."""
    _allow(options, {"excludeByName", "indexByName", "renameByName"})
    left_out = {name for name, excluded in options.get("excludeByName", {}).items() if excluded}
    places = options.get("indexByName", {})
    names = options.get("renameByName", {})

    def organized(frame: Frame) -> Frame:
        kept = [field for field in frame.fields if field.display_name not in left_out]
        kept.sort(key=lambda field: places.get(field.display_name, len(places)))
        return replace(
            frame, fields=tuple(replace(field, shown=names.get(field.display_name) or field.shown) for field in kept)
        )

    return [organized(frame) for frame in frames]


def _calculate_field(frames: list[Frame], options: Mapping[str, Any]) -> list[Frame]:
    """One more column, or only that one, made of others of its row."""
    _allow(options, {"mode", "reduce", "binary", "alias", "timeSeries", "replaceFields"})
    if options["mode"] not in ("reduceRow", "binary") or options.get("timeSeries", True):
        raise UnknownTransformationError(f"calculateField {options}")

    def calculated(frame: Frame) -> Frame:
        values = _reduced_rows(frame, options) if options["mode"] == "reduceRow" else _differences(frame, options)
        kept = () if options.get("replaceFields") else frame.fields
        return replace(frame, fields=(*kept, Field(options["alias"], values)))

    return [calculated(frame) for frame in frames]


def _reduced_rows(frame: Frame, options: Mapping[str, Any]) -> list[Value]:
    _, reduced = _REDUCERS[options["reduce"]["reducer"]]
    columns = [field.values for field in frame.fields if field.display_name in options["reduce"]["include"]]
    return [reduced(list(row)) for row in zip(*columns, strict=True)]


def _differences(frame: Frame, options: Mapping[str, Any]) -> list[Value]:
    binary = options["binary"]
    if binary["operator"] != "-":
        raise UnknownTransformationError(f"calculateField {options}")
    sides = [_side(frame, binary[side]) for side in ("left", "right")]
    return [left - right for left, right in zip(*sides, strict=True)]


def _side(frame: Frame, side: Mapping[str, Any]) -> list[float]:
    if "fixed" in side:
        return [float(side["fixed"])] * len(frame.fields[0].values)
    values = frame.column(side["matcher"]["options"])
    return [value for value in values if isinstance(value, (int, float))]


def _rename_by_regex(frames: list[Frame], options: Mapping[str, Any]) -> list[Frame]:
    """Fields whose names match, renamed; ``$1`` is the first group."""
    _allow(options, {"regex", "renamePattern"})
    pattern = re.sub(r"\$(\d)", r"\\\1", options["renamePattern"])
    return [
        replace(
            frame,
            fields=tuple(
                replace(field, shown=re.sub(options["regex"], pattern, field.display_name, count=1))
                for field in frame.fields
            ),
        )
        for frame in frames
    ]


def _convert_field_type(frames: list[Frame], options: Mapping[str, Any]) -> list[Frame]:
    """Numbers of a column as JavaScript writes them."""
    _allow(options, {"fields", "conversions"})
    names = set()
    for conversion in options["conversions"]:
        if conversion["destinationType"] != "string":
            raise UnknownTransformationError(f"convertFieldType {conversion}")
        names.add(conversion["targetField"])
    return [
        replace(
            frame,
            fields=tuple(
                replace(field, values=[_text(value) for value in field.values])
                if field.display_name in names
                else field
                for field in frame.fields
            ),
        )
        for frame in frames
    ]


def _text(value: Value) -> Value:
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return value if value is None else str(value)


def _collated(value: Value) -> tuple[Any, ...]:
    """A key in the order of ICU's root collation, as far as tags need it: ``_`` < ``-`` < ``.`` < digits < letters."""
    if isinstance(value, str):
        return (1, ["_-.".find(letter) if letter in "_-." else 3 + ord(letter) for letter in value.casefold()])
    return (0, value or 0)


def _allow(options: Mapping[str, Any], known: set[str]) -> None:
    unknown = options.keys() - known
    if unknown:
        raise UnknownTransformationError(f"options {sorted(unknown)}")


_TRANSFORMATIONS: Mapping[str, Callable[[list[Frame], Mapping[str, Any]], list[Frame]]] = {
    "reduce": _reduce,
    "groupBy": _group_by,
    "sortBy": _sort_by,
    "organize": _organize,
    "calculateField": _calculate_field,
    "renameByRegex": _rename_by_regex,
    "convertFieldType": _convert_field_type,
}
