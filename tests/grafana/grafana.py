"""What Grafana would show: panels, variables and alert queries, asked of a real InfluxDB with a read-only token."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.grafana import frames as framing
from tests.grafana.frames import Frame, Value
from tests.grafana.interpolation import ALL, Choice, Selection, TimeRange, in_backend, in_browser
from tests.grafana.intervals import interval_ms
from tests.grafana.transformations import transformed
from tools.dashboards.files import Dashboard, Panel, Target, Variable

PANEL_POINTS = 1000


class QueryRefusedError(Exception):
    """InfluxDB would not run a query; the message has both."""


@dataclass(frozen=True, slots=True)
class Grafana:
    """``databases`` are the InfluxQL databases by datasource uid; ``token`` is sent as Grafana sends it."""

    url: str
    token: str
    databases: Mapping[str, str]

    async def panel(
        self, dashboard: Dashboard, panel: Panel, time_range: TimeRange, chosen: Mapping[str, Choice] | None = None
    ) -> list[Frame]:
        """The frames of a panel, after its transformations; what is not ``chosen`` is as the dashboard opens."""
        asked = (self.query(dashboard, panel, target, time_range, chosen) for target in panel.targets)
        frames = [frame for answer in await asyncio.gather(*asked) for frame in answer]
        selection = await self.selection(dashboard, time_range, chosen or {})
        # The browser fills variables into the transformations' options, too (SceneDataTransformer).
        options = in_browser(json.dumps(panel.transformations), selection, time_range, strict=False)
        return transformed(frames, json.loads(options))

    async def query(
        self,
        dashboard: Dashboard,
        panel: Panel,
        target: Target,
        time_range: TimeRange,
        chosen: Mapping[str, Choice] | None = None,
    ) -> list[Frame]:
        """The frames of one query of a panel, as the datasource gives them."""
        selection = await self.selection(dashboard, time_range, chosen or {})
        points = panel.raw.get("maxDataPoints") or PANEL_POINTS
        interval = interval_ms(time_range.to_ms - time_range.from_ms, points, panel.raw.get("interval") or "")
        return await self.target(target, selection, time_range, interval)

    async def target(self, target: Target, selection: Selection, time_range: TimeRange, interval: int) -> list[Frame]:
        """The frames of one query of a panel. Raises QueryRefusedError."""
        query = in_backend(in_browser(target.query, selection, time_range), time_range, interval)
        alias = in_browser(target.alias, selection, time_range, strict=False)
        return framing.of_answer(target.ref, await self.ask(target.datasource, query), target.format, alias)

    async def rule_query(self, target: Target, time_range: TimeRange, interval: int = 1000) -> list[Frame]:
        """The frames of an alert rule's query: rules have no variables."""
        nothing = Selection({}, {}, {})
        return await self.target(target, nothing, time_range, interval)

    async def options(
        self, dashboard: Dashboard, name: str, time_range: TimeRange, chosen: Mapping[str, Choice] | None = None
    ) -> list[str]:
        """What a variable's drop-down offers, «All» left out."""
        variable = dashboard.variable(name)
        if variable.type != "query":
            return _custom(variable)
        selection = Selection(_by_name(dashboard), chosen or {}, {})
        series = await self.ask(variable.datasource or "", in_browser(variable.query, selection, time_range))
        return list(dict.fromkeys(str(row[-1]) for each in series for row in each["values"]))

    async def selection(self, dashboard: Dashboard, time_range: TimeRange, chosen: Mapping[str, Choice]) -> Selection:
        """What is chosen, with the options of each «All» that has no ``allValue``."""
        variables = _by_name(dashboard)
        everything = {
            variable.name: await self.options(dashboard, variable.name, time_range, chosen)
            for variable in dashboard.variables
            if variable.all_value is None and chosen.get(variable.name, variable.default) in (ALL, [ALL])
        }
        return Selection(variables, chosen, everything)

    async def ask(self, datasource: str, query: str) -> list[dict[str, Any]]:
        """The series of one InfluxQL statement, sent as Grafana does it with ``httpMode: POST``."""
        parameters = {"db": self.databases[datasource], "epoch": "ms"}
        headers = {"Authorization": f"Token {self.token}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(f"{self.url}/query", params=parameters, data={"q": query}) as response,
        ):
            answer = await response.json(content_type=None)
            refused = answer.get("error") or answer.get("message") if response.status != 200 else None
            refused = refused or answer["results"][0].get("error")
            if refused:
                raise QueryRefusedError(f"{refused}: {query}")
            series: list[dict[str, Any]] = answer["results"][0].get("series", [])
            return series


def _by_name(dashboard: Dashboard) -> dict[str, Variable]:
    return {variable.name: variable for variable in dashboard.variables}


def _custom(variable: Variable) -> list[str]:
    """The values of a custom variable: ``a, b`` or ``Shown : a, Shown : b``."""
    return [choice.split(" : ")[-1].strip() for choice in variable.query.split(",")]


def stat(panel: Panel, frames: Iterable[Frame]) -> Value:
    """The one value that a stat panel shows, None if there is nothing. Raises AssertionError if there are several."""
    options = panel.raw["options"]["reduceOptions"]
    fields = [field for frame in frames for field in frame.fields if field.name != "Time"]
    if not options["fields"]:
        fields = [field for field in fields if not any(isinstance(value, str) for value in field.values)]
    if not fields:
        return None
    assert len(fields) == 1, f"one field expected: {[field.display_name for field in fields]}"
    assert options["calcs"] == ["lastNotNull"], options
    values = [value for value in fields[0].values if value is not None]
    return values[-1] if values else None
