"""Events to InfluxDB line protocol: one line an event, one field a line."""

from collections.abc import Iterable

from ingest.event import ERRO, PROCESSADO, Event, number, time_ns
from ingest.tag import MAX_CACHED_TAGS, Tag, parse_tag

MEASUREMENT = "events"


class LineEncoder:
    """Writes events as lines; remembers each series' first half, for a sensor sends the same one every second."""

    def __init__(self) -> None:
        self._series: dict[tuple[str, bool], str] = {}

    def encode(self, events: Iterable[Event]) -> bytes:
        """A line for each event, ended by a newline; times in nanoseconds."""
        return "".join([self.line(event) for event in events]).encode()

    def line(self, event: Event) -> str:
        """The line of one event."""
        valor = event.valor
        series = self._series.get((event.tag, valor == "")) or self._new_series(event.tag, valor == "")
        return f"{series} {_field(valor)} {time_ns(event.timestamp_ms, valor)}\n"

    def _new_series(self, tag: str, is_erro: bool) -> str:
        if len(self._series) >= MAX_CACHED_TAGS:
            self._series.clear()
        parsed = parse_tag(tag)
        if not isinstance(parsed, Tag):
            raise ValueError(f"tag {tag!r} was never checked: {parsed.reason}")
        # A segment holds nothing that line protocol would want escaped.
        status = ERRO if is_erro else PROCESSADO
        series = f"{MEASUREMENT},country={parsed.country},region={parsed.region},sensor={parsed.sensor},status={status}"
        self._series[tag, is_erro] = series
        return series


def _field(valor: str) -> str:
    value = number(valor)
    if value is not None:
        return f"value={value!r}"
    return f'text="{escape_string(valor)}"'


def escape_string(text: str) -> str:
    """``text`` as it stands between the quotes of a string field."""
    return text.replace("\\", "\\\\").replace('"', '\\"')
