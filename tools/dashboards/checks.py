"""What every dashboard here keeps to: each problem is a sentence that says where."""

import re
from collections.abc import Collection, Iterator, Mapping
from itertools import combinations
from typing import Any

from tools.dashboards.files import Dashboard, Panel, raw_panels
from tools.dashboards.normal import normalised
from tools.dashboards.typed import unknown_keys

COLUMNS = 24
SCHEMA_VERSION = 42  # of Grafana 12.4: an older one is migrated each time it is opened
REFRESH = "5s"

# In @grafana/schema of Grafana 12.4, but not in the models of the SDK, which have it one level deeper.
_KNOWN_ALL_THE_SAME = re.compile(r"^panels\[\d+\](\.panels\[\d+\])?\.options\.enablePagination$")
_FOLLOWS_THE_RANGE = re.compile(r"\$timeFilter|\$\{__(from|to)\}")
_FIXED_TIME = re.compile(r"\btime\s*[<>=]+\s*('|\d)")
_MOVED_TIME = re.compile(
    r"(now\(\)|\)|[^\s<>=()]+)\s*([-+])\s*(\d+(?:ns|u|µ|ms|s|m|h|d|w))\b|(\$\{__(?:from|to)\})\s*(-)\s*(\d{4,})|now\(\)"
)
# The minute or hour in which the range begins, and what may still be on its way at its end, with its minute.
_BESIDE_THE_RANGE = frozenset({"${__from}ms - 1m", "${__from}ms - 1h", "${__to}ms - 15s", "${__to}ms - 75s"})
# Panels with times of their own, and why.
TIMES_OF_THEIR_OWN: Mapping[str, Collection[str]] = {
    "Events/s now": ("now() - 12s", "now() - 2s"),  # of now, whatever the range; the last 2 s may be on their way
    "Since the last event": ("${__to}ms - 7d",),  # it is asked for most where the range has no event
    "Gaps": ("${__to}ms - 6h",),  # its cost goes by the event
}
_LINK = re.compile(r"/d/([\w-]+)")


def problems(dashboard: Dashboard, datasources: Collection[str], uids: Collection[str]) -> list[str]:
    """Everything that is wrong; ``datasources`` and ``uids`` (of all dashboards) are what it may point to."""
    if "panels" not in dashboard.raw or "elements" in dashboard.raw:
        return ["it is not classic JSON: export it as «Classic», not as «V2 Resource»"]
    if dashboard.raw.get("__inputs"):
        return ["it was exported for sharing: export it again with «Export for sharing externally» off"]
    return [
        *_of_the_whole(dashboard),
        *(
            f"unknown key {key}"
            for key in unknown_keys(normalised(dashboard.raw))
            if not _KNOWN_ALL_THE_SAME.match(key)
        ),
        *_of_ids(dashboard),
        *_of_places(dashboard),
        *(f"{_where(panel)}: {problem}" for panel in dashboard.panels for problem in _of_a_panel(panel, datasources)),
        *_of_variables(dashboard, datasources),
        *(f"it links to /d/{uid}, which is none of the dashboards" for uid in _links(dashboard.raw) - set(uids)),
    ]


def _of_the_whole(dashboard: Dashboard) -> Iterator[str]:
    raw = dashboard.raw
    if not re.fullmatch(r"pulso-[a-z-]+", dashboard.uid):
        yield f"uid {dashboard.uid!r}: it must be fixed, and pulso-something"
    for key in ("title", "description", "tags"):
        if not raw.get(key):
            yield f"no {key}"
    if raw.get("schemaVersion") != SCHEMA_VERSION:
        yield f"schemaVersion is {raw.get('schemaVersion')}, not {SCHEMA_VERSION}"
    if raw.get("refresh") != REFRESH:
        yield f"refresh is {raw.get('refresh')!r}, not {REFRESH}"
    for end in ("from", "to"):
        if not str(raw.get("time", {}).get(end, "")).startswith("now"):
            yield f"time.{end} is fixed: it must start with now"


def _of_ids(dashboard: Dashboard) -> Iterator[str]:
    ids = [panel["id"] for panel in raw_panels(dashboard.raw)]
    for each in sorted({each for each in ids if ids.count(each) > 1}):
        yield f"panel id {each} is there more than once"


def _of_places(dashboard: Dashboard) -> Iterator[str]:
    """Panels of a folded row have the place that they take when it is unfolded: below, not among the others."""
    groups = [dashboard.raw["panels"], *(panel.get("panels", ()) for panel in dashboard.raw["panels"])]
    for group in groups:
        for panel in group:
            place = panel["gridPos"]
            if place["x"] < 0 or place["w"] <= 0 or place["h"] <= 0 or place["x"] + place["w"] > COLUMNS:
                yield f"panel {panel['title']!r} reaches beyond the {COLUMNS} columns: {place}"
        for one, other in combinations(group, 2):
            if _overlap(one["gridPos"], other["gridPos"]):
                yield f"panels {one['title']!r} and {other['title']!r} overlap"


def _overlap(one: Mapping[str, int], other: Mapping[str, int]) -> bool:
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )


def _of_a_panel(panel: Panel, datasources: Collection[str]) -> Iterator[str]:
    defaults = panel.raw.get("fieldConfig", {}).get("defaults", {})
    for key in ("title", "description"):
        if not str(panel.raw.get(key, "")).strip():
            yield f"no {key}"
    for key in ("unit", "thresholds", "noValue"):
        if not defaults.get(key):
            yield f"no {key} (fieldConfig.defaults)"
    if panel.raw.get("timeFrom") or panel.raw.get("timeShift"):
        yield "a range of its own (timeFrom, timeShift)"
    yield from _of_queries(panel, datasources)


def _of_queries(panel: Panel, datasources: Collection[str]) -> Iterator[str]:
    if not panel.targets:
        yield "it asks nothing"
    for raw, target in zip(panel.raw.get("targets", ()), panel.targets, strict=True):
        yield from (f"query {target.ref}: {each}" for each in _of_a_query(raw, target.query, panel.title))
        if target.datasource not in datasources:
            yield f"query {target.ref}: no datasource {target.datasource!r} is provisioned"


def _of_a_query(raw: Mapping[str, Any], query: str, title: str) -> Iterator[str]:
    own = TIMES_OF_THEIR_OWN.get(title, ())
    if not raw.get("rawQuery"):
        yield "it is made with the query builder: switch to the raw query"
    if not own and not _FOLLOWS_THE_RANGE.search(query):
        yield "it does not follow the time range ($timeFilter, or ${__from} and ${__to})"
    if _FIXED_TIME.search(query):
        yield "it has a fixed time"
    for each in sorted(moved_times(query) - _BESIDE_THE_RANGE - set(own)):
        yield f"it has a time of its own: {each} (TIMES_OF_THEIR_OWN in tools/dashboards/checks.py has the exceptions)"


def moved_times(query: str) -> set[str]:
    """``now()``, and every time that a fixed duration is added to or taken from, as ``${__to}ms - 6h``."""
    return {" ".join(filter(None, match.groups())) or match[0] for match in _MOVED_TIME.finditer(query)}


def _of_variables(dashboard: Dashboard, datasources: Collection[str]) -> Iterator[str]:
    for variable in dashboard.variables:
        if variable.type == "query" and variable.datasource not in datasources:
            yield f"variable {variable.name}: no datasource {variable.datasource!r} is provisioned"
        if variable.include_all and not variable.all_value:
            yield f"variable {variable.name}: «All» without an allValue would list every value in every query"


def _links(raw: Mapping[str, Any]) -> set[str]:
    return set(_LINK.findall(str(raw)))


def _where(panel: Panel) -> str:
    return f"panel {panel.title!r}" if panel.title else f"panel {panel.id}"
