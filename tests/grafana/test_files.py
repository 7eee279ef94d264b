"""The provisioned files: that Grafana would take them, and that they point to what is there."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from influx.declared import EVENTS, OPS, ROLLUP
from tests.grafana.picked import RANGE
from tests.grafana.place import Place
from tools.dashboards.checks import problems
from tools.dashboards.files import PROVISIONING, Dashboard, dashboards, databases
from tools.dashboards.normal import text

EVERY_DASHBOARD = dashboards()
# Those whose values are tested; tests/telegraf tests the ones of Operations, with a Telegraf that fills them.
TESTED_BY_VALUES = {"pulso-events", "pulso-sensor", "pulso-operations"}


def test_uids_are_unique_and_every_dashboard_has_tests_of_its_values() -> None:
    uids = [each.uid for each in EVERY_DASHBOARD]

    assert len(uids) == len(set(uids)), uids
    assert set(uids) <= TESTED_BY_VALUES


@pytest.mark.parametrize("dashboard", EVERY_DASHBOARD, ids=lambda each: each.uid)
def test_a_dashboard_keeps_to_the_rules(dashboard: Dashboard) -> None:
    assert problems(dashboard, databases(), TESTED_BY_VALUES) == []
    assert dashboard.path.name == f"{dashboard.uid.removeprefix('pulso-')}.json"


@pytest.mark.parametrize("dashboard", EVERY_DASHBOARD, ids=lambda each: each.uid)
def test_a_dashboard_is_in_normal_form(dashboard: Dashboard) -> None:
    assert dashboard.path.read_text() == text(dashboard.raw), f"run python -m tools.dashboards {dashboard.path}"


@pytest.mark.parametrize("dashboard", EVERY_DASHBOARD, ids=lambda each: each.uid)
def test_stored_texts_become_no_markup_and_lead_nowhere_else(dashboard: Dashboard) -> None:
    drawn = {"timeseries", "stat", "row", "table", "state-timeline", "gauge", "barchart"}
    for node in _nodes(dashboard.raw):
        if "gridPos" in node:
            assert node["type"] in drawn, f"{node['type']} may render HTML"
        if "url" in node:
            # Of a row only the parts of its tag, which hold letters, digits, _ and - alone.
            assert re.fullmatch(r"(/d/pulso-\w+\?.*)?", node["url"]), node
            fields = set(re.findall(r"__data\.fields\.(\w+)", node["url"]))
            assert fields <= {"country", "region", "sensor"}, node
        if node.get("id") == "custom.cellOptions":
            assert node["value"]["type"] in {"auto", "color-text", "gauge"}, node


def _nodes(raw: Any) -> Iterator[dict[str, Any]]:
    if isinstance(raw, dict):
        yield raw
    for child in raw.values() if isinstance(raw, dict) else raw if isinstance(raw, list) else ():
        yield from _nodes(child)


@pytest.mark.parametrize("dashboard", EVERY_DASHBOARD, ids=lambda each: each.uid)
async def test_every_query_is_taken_by_influxdb(known_place: Place, dashboard: Dashboard) -> None:
    """As the dashboard opens; raises QueryRefusedError else."""
    for panel in dashboard.panels:
        await known_place.grafana.panel(dashboard, panel, RANGE)
    for variable in dashboard.variables:
        await known_place.grafana.options(dashboard, variable.name, RANGE)


def test_each_datasource_is_a_bucket_of_ours() -> None:
    assert databases() == {"pulso-events": EVENTS, "pulso-rollup": ROLLUP, "pulso-ops": OPS}


def test_datasources_have_their_secrets_from_a_file() -> None:
    for source in _yaml("datasources")["datasources"]:
        assert source["type"] == "influxdb"
        assert source["url"] == "$PULSO_INFLUX_URL"
        assert source["jsonData"]["version"] == "InfluxQL"
        assert source["jsonData"]["httpMode"] == "POST"
        assert source["jsonData"]["httpHeaderName1"] == "Authorization"
        secrets = {"httpHeaderValue1": "Token $__file{/run/secrets/pulso/grafana.token}"}
        assert source["secureJsonData"] == secrets, source["uid"]


def test_dashboards_are_read_from_their_folder_alone() -> None:
    (provider,) = _yaml("dashboards")["providers"]

    folders = {group["folder"] for group in _groups()}
    assert {provider["folder"]} == folders == {"Pulso"}
    assert "folderUid" not in provider, "Grafana makes the folder for the alert rules first, by its title"
    assert provider["allowUiUpdates"] is False
    assert provider["options"] == {"path": "/var/lib/grafana/dashboards"}


def _groups() -> list[Mapping[str, Any]]:
    files = (PROVISIONING / "alerting").glob("*.yaml")
    return [group for path in files for group in yaml.safe_load(path.read_text())["groups"]]


def _yaml(folder: str) -> Mapping[str, Any]:
    (path,) = (PROVISIONING / folder).glob("*.yaml")
    loaded: Mapping[str, Any] = yaml.safe_load(path.read_text())
    assert loaded["apiVersion"] == 1
    return loaded
