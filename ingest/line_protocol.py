"""Events to InfluxDB line protocol: one line an event, one field a line."""

from ingest.bounded import BoundedDict
from ingest.event import ERRO, PROCESSADO, number, offset_ns
from ingest.events import Events
from ingest.tag import MAX_CACHED_TAG_CHARACTERS, MAX_CACHED_TAGS, Tag, parse_tag

MEASUREMENT = "events"
_MAX_CACHED_FIELDS = 20_000
_MAX_CACHED_VALOR_CHARACTERS = 24

# Of one tag: the series of its ``processado`` events and that of its ``erro`` events, each with the blank after it.
_SeriesPair = tuple[str, str]
# Of one valor: its field with the blank after it, and the six digits of its offset.
_FieldAndOffset = tuple[str, str]


class LineEncoder:
    """Writes events as lines.

    Remembers both halves of a line: a sensor sends under the same tag every second, and readings of few digits recur.
    """

    def __init__(self) -> None:
        self._series: BoundedDict[str, _SeriesPair] = BoundedDict(MAX_CACHED_TAGS)
        self._fields: BoundedDict[str, _FieldAndOffset] = BoundedDict(_MAX_CACHED_FIELDS)

    def encode(self, events: Events) -> bytes:
        """A line for each event, ended by a newline; times in nanoseconds. The events have passed the rules."""
        series_of, field_of = self._series.get, self._fields.get
        lines = []
        for timestamp_ms, tag, valor in zip(events.timestamps_ms, events.tags, events.valores, strict=True):
            series = series_of(tag) or self._new_series(tag)
            field, offset = field_of(valor) or self._new_field(valor)
            # Digits side by side are the millisecond in nanoseconds plus the offset, without arithmetic.
            lines.append(f"{series[not valor]}{field}{timestamp_ms}{offset}\n")
        return "".join(lines).encode()

    def _new_series(self, text: str) -> _SeriesPair:
        tag = parse_tag(text)
        if not isinstance(tag, Tag):
            raise ValueError(f"tag {text!r} was never checked: {tag.reason}")
        # A segment holds nothing that line protocol would want escaped.
        key = f"{MEASUREMENT},country={tag.country},region={tag.region},sensor={tag.sensor}"
        pair = (f"{key},status={PROCESSADO} ", f"{key},status={ERRO} ")
        return self._series.remember(text, pair) if len(text) <= MAX_CACHED_TAG_CHARACTERS else pair

    def _new_field(self, valor: str) -> _FieldAndOffset:
        value = number(valor)
        field = f'text="{escape_string(valor)}" ' if value is None else f"value={value!r} "
        encoded = (field, f"{offset_ns(valor):06}")
        return self._fields.remember(valor, encoded) if len(valor) <= _MAX_CACHED_VALOR_CHARACTERS else encoded


def escape_string(text: str) -> str:
    """``text`` as it stands between the quotes of a string field."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def escape_key(text: str) -> str:
    """``text`` as it stands in a tag's value."""
    return text.replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ")
