"""The real Telegraf for tests and benchmarks, built with just the plugins that their configurations use."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tools.go_program import GoProgram

_TOP = Path(__file__).parents[1]
FOLDER = _TOP / "telegraf"
CONFIGURATIONS = ("telegraf.conf", "mqtt.conf")
PEER_FOLDER = _TOP / "benchmarks" / "telegraf"
PEER_CONFIGURATIONS = ("agent.conf", "json.conf", "lines.conf")
_CATEGORIES = ("inputs", "outputs", "processors", "aggregators", "secretstores")
_FORMATS = {"inputs": "parsers", "processors": "parsers", "outputs": "serializers"}


def build_tags(*texts: str) -> tuple[str, ...]:
    """Telegraf's build tags for every plugin and data format in configurations, in order."""
    return ("custom", *sorted({tag for text in texts for tag in _tags(tomllib.loads(text))}))


def _tags(tables: Mapping[str, Any]) -> Iterator[str]:
    for category in _CATEGORIES:
        for name, plugins in tables.get(category, {}).items():
            yield f"{category}.{name}"
            for plugin in plugins:
                if "data_format" in plugin:
                    yield f"{_FORMATS[category]}.{plugin['data_format']}"


def telegraf() -> GoProgram:
    """Another set of plugins is another program in the cache."""
    files = [FOLDER / name for name in CONFIGURATIONS] + [PEER_FOLDER / name for name in PEER_CONFIGURATIONS]
    return GoProgram(
        "telegraf",
        folder="telegraf",
        module="github.com/influxdata/telegraf",
        minutes=3,
        arguments=(",".join(build_tags(*(file.read_text() for file in files))),),
    )
