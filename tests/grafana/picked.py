"""What the drop-downs choose, for Grafana and for the events that were sent."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tests.grafana.interpolation import Choice, TimeRange
from tests.grafana.sent import FROM_MS, MINUTE_MS, TO_MS, Event

RANGE = TimeRange(FROM_MS, TO_MS)


@dataclass(frozen=True, slots=True)
class Picked:
    """Values of country, region, sensor and status; a variable that is not named is «All»."""

    values: Mapping[str, Sequence[str]]

    def __str__(self) -> str:
        return " ".join(f"{name}={','.join(values)}" for name, values in self.values.items()) or "All"

    @property
    def chosen(self) -> Mapping[str, Choice]:
        return {name: list(values) for name, values in self.values.items()}

    def of(self, sent: Iterable[Event]) -> list[Event]:
        return [each for each in sent if all(getattr(each, name) in values for name, values in self.values.items())]


EVERY_PICK = [
    Picked({}),
    Picked({"country": ["chile"]}),
    Picked({"region": ["sudeste"]}),
    Picked({"region": ["sul", "centro-oeste"]}),
    Picked({"sensor": ["sensor01"]}),
    Picked({"sensor": ["sensor01", "sensor03"], "country": ["brasil", "chile"]}),
    Picked({"status": ["erro"]}),
    Picked({"status": ["erro", "processado"], "region": ["sudeste"], "sensor": ["sensor01", "sensor02"]}),
    Picked({"sensor": ["nobody"]}),
    Picked({"region": ["norte"]}),
]


def in_range(sent: Iterable[Event]) -> list[Event]:
    """Those whose time lies in the range, to the millisecond."""
    return [each for each in sent if FROM_MS <= each.time_ms <= TO_MS]


def in_touched_minutes(sent: Iterable[Event]) -> list[Event]:
    """Those of the minutes that the range touches."""
    return [each for each in sent if FROM_MS - MINUTE_MS < each.minute_ms <= TO_MS]


def in_begun_minutes(sent: Iterable[Event]) -> list[Event]:
    """Those of the minutes that begin in the range."""
    return [each for each in sent if FROM_MS <= each.minute_ms <= TO_MS]
