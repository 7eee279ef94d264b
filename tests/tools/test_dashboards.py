"""``python -m tools.dashboards``: what it brings into normal form, and what it refuses."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tools.dashboards.__main__ import main
from tools.dashboards.checks import TIMES_OF_THEIR_OWN, moved_times, problems
from tools.dashboards.files import DASHBOARDS, dashboard, dashboards, databases
from tools.dashboards.normal import text

EVENTS = json.loads((DASHBOARDS / "events.json").read_text())
UIDS = {"pulso-events", "pulso-sensor", "pulso-operations"}

Change = Callable[[dict[str, Any]], object]


def test_what_an_export_adds_is_left_out(tmp_path: Path) -> None:
    exported = copy.deepcopy(EVENTS) | {"id": 7, "version": 12, "iteration": 1, "__elements": {}, "__requires": []}
    exported["panels"][0]["pluginVersion"] = "12.4.12"
    exported["panels"][0]["targets"][0] |= {"groupBy": [], "measurement": "", "policy": "default", "select": [[]]}
    exported["templating"]["list"][0]["current"] = {"text": ["chile"], "value": ["chile"]}
    exported["templating"]["list"][0]["options"] = [{"text": "chile", "value": "chile"}]
    path = tmp_path / "Events-1795176037.json"
    path.write_text(json.dumps(exported))

    assert main([str(path), "--folder", str(tmp_path)]) == 0

    assert (tmp_path / "events.json").read_text() == (DASHBOARDS / "events.json").read_text()


def test_normal_form_is_the_normal_form_of_itself() -> None:
    assert text(json.loads(text(EVENTS))) == text(EVENTS)


def test_what_is_there_is_checked_and_not_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "events.json"
    path.write_text(json.dumps(EVENTS))

    assert main(["--folder", str(tmp_path)]) == 1

    assert "not in normal form" in capsys.readouterr().err
    assert path.read_text() == json.dumps(EVENTS)


def test_a_file_that_is_no_json_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "broken.json"
    path.write_text("{")

    assert main([str(path)]) == 2

    assert "cannot read a dashboard" in capsys.readouterr().err


def _panel(change: Change) -> Change:
    return lambda raw: change(raw["panels"][0])


def _query(query: str) -> Change:
    return lambda raw: raw["panels"][0]["targets"][0].update(query=query)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda raw: raw.update(uid="Events"), "it must be fixed"),
        (lambda raw: raw.update(time={"from": "2026-11-20T12:00:00Z", "to": "now"}), "time.from is fixed"),
        (lambda raw: raw.update(refresh="1m"), "refresh is '1m'"),
        (lambda raw: raw.update(schemaVersion=16), "schemaVersion is 16"),
        (lambda raw: raw.update(refersh="5s"), "unknown key refersh"),
        (lambda raw: raw.update(__inputs=[{"name": "DS_PULSO"}]), "exported for sharing"),
        (lambda raw: raw.update(elements={}), "not classic JSON"),
        (_panel(lambda panel: panel.update(description=" ")), "no description"),
        (_panel(lambda panel: panel["options"].update(colourMode="value")), "unknown key panels[0].options.colourMode"),
        (_panel(lambda panel: panel["fieldConfig"]["defaults"].pop("unit")), "no unit"),
        (_panel(lambda panel: panel["fieldConfig"]["defaults"].pop("noValue")), "no noValue"),
        (_panel(lambda panel: panel.update(id=2)), "panel id 2 is there more than once"),
        (_panel(lambda panel: panel["gridPos"].update(w=6)), "panels 'Events' and 'Events/s now' overlap"),
        (_panel(lambda panel: panel["gridPos"].update(y=100, w=25)), "reaches beyond the 24 columns"),
        (_panel(lambda panel: panel.update(timeFrom="1h")), "a range of its own"),
        (_panel(lambda panel: panel.update(targets=[])), "it asks nothing"),
        (_panel(lambda panel: panel["targets"][0].update(rawQuery=False)), "query builder"),
        (_panel(lambda panel: panel["targets"][0]["datasource"].update(uid="other")), "no datasource 'other'"),
        (_query("SELECT sum(n) FROM region_minutes"), "does not follow the time range"),
        (_query("SELECT sum(n) FROM region_minutes WHERE $timeFilter AND time > '2026-11-20'"), "a fixed time"),
        (_query("SELECT sum(n) FROM region_minutes WHERE time > now() - 30d"), "does not follow the time range"),
        (_query("SELECT sum(n) FROM region_minutes WHERE $timeFilter AND time > now()"), "of its own: now()"),
        (_query("SELECT sum(n) FROM region_minutes WHERE $timeFilter AND time>now()-30d"), "of its own: now() - 30d"),
        (_query("SELECT sum(n) FROM region_minutes WHERE time > ${__to}ms - 6h"), "of its own: ${__to}ms - 6h"),
        (_query("SELECT sum(n) FROM region_minutes WHERE time > ${__from}ms - 7d"), "of its own: ${__from}ms - 7d"),
        (_query("SELECT n FROM region_minutes WHERE time > (${__to} - 60000) * 1000000"), "own: ${__to} - 60000"),
        (lambda raw: raw["templating"]["list"][0].pop("allValue"), "variable country: «All» without an allValue"),
        (lambda raw: raw["templating"]["list"][0]["datasource"].update(uid="other"), "no datasource 'other'"),
        (lambda raw: raw["links"].append({"type": "link", "title": "x", "url": "/d/gone"}), "links to /d/gone"),
    ],
)
def test_what_breaks_a_rule_is_refused(tmp_path: Path, change: Change, problem: str) -> None:
    raw = copy.deepcopy(EVENTS)
    change(raw)
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(raw))

    found = problems(dashboard(path), databases(), UIDS)

    assert any(problem in each for each in found), found
    assert main([str(path), "--folder", str(tmp_path)]) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["changed.json"]


def test_a_time_of_its_own_is_one_of_the_panels_that_need_it_and_no_other() -> None:
    asked = {
        title: [
            moved_times(target.query)
            for each in dashboards()
            for panel in each.panels
            if panel.title == title
            for target in panel.targets
        ]
        for title in TIMES_OF_THEIR_OWN
    }

    for title, times in TIMES_OF_THEIR_OWN.items():
        assert asked[title], f"no panel is called {title}"
        assert all(set(times) <= one for one in asked[title]), f"{title} asks {asked[title]}, and may ask {times}"


def test_a_panel_inside_a_folded_row_is_checked(tmp_path: Path) -> None:
    raw = copy.deepcopy(EVENTS)
    inside = raw["panels"].pop()
    inside["description"] = ""
    raw["panels"].append(
        {"id": 99, "type": "row", "title": "More", "collapsed": True, "panels": [inside], "gridPos": inside["gridPos"]}
    )
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(raw))

    assert problems(dashboard(path), databases(), UIDS) == ["panel 'All events': no description"]
