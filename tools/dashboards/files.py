"""What the provisioned files hold: dashboards, their panels, queries and variables, and the datasources."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

GRAFANA = Path(__file__).parents[2] / "grafana"
DASHBOARDS = GRAFANA / "dashboards"
PROVISIONING = GRAFANA / "provisioning"


@dataclass(frozen=True, slots=True)
class Target:
    """One query of a panel or of an alert rule. ``format`` is ``time_series`` or ``table``."""

    ref: str
    datasource: str
    query: str
    alias: str = ""
    format: str = "time_series"


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel with what it asks; ``raw`` is its JSON. ``dashboard`` is a uid."""

    dashboard: str
    id: int
    title: str
    type: str
    targets: tuple[Target, ...]
    raw: Mapping[str, Any]

    @property
    def transformations(self) -> list[Mapping[str, Any]]:
        return list(self.raw.get("transformations", ()))


@dataclass(frozen=True, slots=True)
class Variable:
    """A template variable: ``query`` is InfluxQL for the type ``query``, else the list of choices."""

    name: str
    type: str
    query: str
    datasource: str | None
    multi: bool
    all_value: str | None
    include_all: bool
    default: str | list[str]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A dashboard's file; ``panels`` are all that ask something, those inside rows too."""

    path: Path
    uid: str
    title: str
    panels: tuple[Panel, ...]
    variables: tuple[Variable, ...]
    raw: Mapping[str, Any]

    def panel(self, title: str) -> Panel:
        (found,) = [panel for panel in self.panels if panel.title == title]
        return found

    def variable(self, name: str) -> Variable:
        (found,) = [variable for variable in self.variables if variable.name == name]
        return found


def dashboards(folder: Path = DASHBOARDS) -> list[Dashboard]:
    """All dashboards of a folder, by file name."""
    return [dashboard(path) for path in sorted(folder.glob("*.json"))]


def dashboard(path: Path) -> Dashboard:
    """One dashboard's file. Raises ValueError if it is not JSON."""
    raw = json.loads(path.read_text())
    uid = raw.get("uid") or ""
    return Dashboard(
        path,
        uid,
        raw.get("title", ""),
        tuple(_panel(uid, each) for each in raw_panels(raw) if each["type"] != "row"),
        tuple(_variable(each) for each in raw.get("templating", {}).get("list", ())),
        raw,
    )


def raw_panels(raw: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """All panels of a dashboard, rows and what is folded inside them too."""
    for panel in raw.get("panels", ()):
        yield panel
        yield from panel.get("panels", ())


def databases(folder: Path = PROVISIONING / "datasources") -> dict[str, str]:
    """The InfluxQL database of each provisioned datasource, by uid."""
    return {
        source["uid"]: source["jsonData"]["dbName"]
        for path in sorted(folder.glob("*.yaml"))
        for source in yaml.safe_load(path.read_text())["datasources"]
    }


def _panel(dashboard_uid: str, raw: Mapping[str, Any]) -> Panel:
    return Panel(
        dashboard_uid,
        raw["id"],
        raw.get("title", ""),
        raw["type"],
        tuple(target(each, raw.get("datasource")) for each in raw.get("targets", ())),
        raw,
    )


def target(raw: Mapping[str, Any], of_panel: Mapping[str, Any] | None = None) -> Target:
    """A query as it stands in a panel, whose datasource it takes if it names none."""
    source = raw.get("datasource") or of_panel or {}
    return Target(
        raw["refId"], source.get("uid", ""), raw["query"], raw.get("alias", ""), raw.get("resultFormat", "time_series")
    )


def _variable(raw: Mapping[str, Any]) -> Variable:
    query = raw.get("query", "")
    return Variable(
        raw["name"],
        raw["type"],
        query["query"] if isinstance(query, Mapping) else query,
        (raw.get("datasource") or {}).get("uid"),
        raw.get("multi", False),
        raw.get("allValue") or None,
        raw.get("includeAll", False),
        raw.get("current", {}).get("value", ""),
    )
