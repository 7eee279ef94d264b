"""A dashboard held against Grafana's own typed models: a key that they don't have is one that Grafana passes over."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

_MIXED = "-- Mixed --"


def unknown_keys(raw: Mapping[str, Any]) -> list[str]:
    """Paths of the keys that do not come back from the models; a model that cannot be made is one problem."""
    register_default_plugins()
    raw = {**raw, "panels": [_panel(panel) for panel in raw.get("panels", ())]}
    try:
        known = json.loads(json.dumps(Dashboard.from_json(raw), cls=JSONEncoder))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return [f"not a dashboard: {type(error).__name__}: {error}"]
    return list(_lost(raw, known, ""))


def _panel(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of a panel whose queries each name their datasource, the models would take its type for theirs."""
    if raw.get("datasource", {}).get("uid") == _MIXED:
        raw = {**raw, "datasource": {"uid": _MIXED}}
    return {**raw, "panels": [_panel(each) for each in raw["panels"]]} if "panels" in raw else raw


def _lost(raw: Any, known: Any, path: str) -> Iterator[str]:
    if isinstance(raw, Mapping) and isinstance(known, Mapping):
        for key, value in raw.items():
            if key in known:
                yield from _lost(value, known[key], f"{path}.{key}")
            else:
                yield f"{path}.{key}".lstrip(".")
    elif isinstance(raw, list) and isinstance(known, list):
        for at, (value, known_value) in enumerate(zip(raw, known, strict=False)):
            yield from _lost(value, known_value, f"{path}[{at}]")
