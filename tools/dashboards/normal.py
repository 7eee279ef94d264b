"""The normal form of a dashboard: the same one always gives the same file, so that a diff shows what changed."""

import json
from collections.abc import Mapping
from typing import Any

# Grafana gives these itself, or they are of the instance that exported.
_OF_THE_INSTANCE = frozenset(
    {"id", "version", "iteration", "gnetId", "revision", "__elements", "__requires", "weekStart"}
)
_OF_A_TARGET = frozenset({"refId", "datasource", "query", "rawQuery", "resultFormat", "alias", "hide"})
_ALL = {"text": ["All"], "value": ["$__all"]}


def normalised(raw: Mapping[str, Any]) -> dict[str, Any]:
    """``raw`` without what an export adds and with nothing chosen in its drop-downs."""
    kept = {key: value for key, value in raw.items() if key not in _OF_THE_INSTANCE}
    if not kept.get("__inputs", True):
        del kept["__inputs"]
    kept["panels"] = [_panel(panel) for panel in raw.get("panels", ())]
    templating = raw.get("templating", {})
    kept["templating"] = {**templating, "list": [_variable(each) for each in templating.get("list", ())]}
    return kept


def text(raw: Mapping[str, Any]) -> str:
    """``raw`` in normal form, as the file holds it."""
    return json.dumps(normalised(raw), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def _panel(raw: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in raw.items() if key != "pluginVersion"}
    if "targets" in raw:
        kept["targets"] = [_target(each) for each in raw["targets"]]
    if "panels" in raw:
        kept["panels"] = [_panel(each) for each in raw["panels"]]
    return kept


def _target(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A raw query: what the query builder leaves beside it says nothing."""
    if not raw.get("rawQuery"):
        return dict(raw)
    return {key: value for key, value in raw.items() if key in _OF_A_TARGET and value not in ("", False)}


def _variable(raw: Mapping[str, Any]) -> dict[str, Any]:
    if raw.get("type") != "query":
        return dict(raw)
    return {**raw, "options": [], "current": dict(_ALL) if raw.get("includeAll") else {}}
