"""A span of all sensors in pages that together are all of it, whatever comes, goes or lies in several shards meanwhile.

SLIMIT and SOFFSET would not do: InfluxDB counts them in each shard, and skips a series when one before it is deleted.
What a tag says never changes, so that each series is in one page and stays there, and no window is in two.
"""

import re
from collections.abc import Sequence

import msgspec

from ingest.influxql import InfluxQL, where
from ingest.rollup.levels import Level
from ingest.rollup.spans import Span, times

# A question alone costs as much as ten series: twenty pages of fifty are better than a hundred of ten, also where
# others slow them down. Of a million series there should not be tens of thousands, nor one of which no end is seen.
_LEAST_NAMES = 50
_MOST_PAGES_OF_FEW = 20
_MOST_PAGES = 200
_MOST_NAMES = 5_000
# No text in InfluxQL can hold these, nor what is no UTF-8, which is listed as U+FFFD, and which a pattern takes for it.
_UNSPEAKABLE = r"[\x00-\x1f\x7f\x{fffd}]"
_SPEAKABLE = re.compile(r"[^\x00-\x1f\x7f\ufffd]+")


class Names(msgspec.Struct, frozen=True):
    """Every value of ``tag``, the most telling one, that a series with points in a span may have."""

    tag: str = ""
    values: Sequence[str] = ()

    def page(self, values: Sequence[str]) -> str:
        """The condition of the page of these ``values``."""
        return _either([f"{self.tag}::tag = {_quoted(value)}" for value in values])

    @property
    def rest(self) -> str:
        """The condition of the page of all others: series without the tag, and with values that cannot be said."""
        return f"({self.tag}::tag = '' OR {self.tag}::tag =~ /{_UNSPEAKABLE}/)"

    def at_once(self, wanted: int) -> int:
        """How many of them make a page, where ``wanted`` would be best: there are not to be endlessly many."""
        number = len(self.values)
        least = max(min(_LEAST_NAMES, number // _MOST_PAGES_OF_FEW), number // _MOST_PAGES, 1)
        return min(max(least, wanted), _MOST_NAMES)


async def names(source: InfluxQL, level: Level, span: Span) -> Names:
    """Of the series that are there now: whose points were stored before has its name among them.

    Raises StoreUnavailable.
    """
    keys = ", ".join(level.tags)
    text = f"SHOW TAG VALUES FROM {level.source} WITH KEY IN ({keys}){where(times(span))}"
    values: dict[str, list[str]] = {}
    for series in await source.query(text, replacing=True):
        for key, value in series.values:
            values.setdefault(key, []).append(value)
    if not values:
        return Names()
    tag, found = max(values.items(), key=lambda one: len(one[1]))
    return Names(tag, [value for value in found if _SPEAKABLE.fullmatch(value)])


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _either(conditions: Sequence[str]) -> str:
    """Halved again and again: one by one InfluxDB would go through all that stand before for each."""
    if len(conditions) == 1:
        return conditions[0]
    middle = len(conditions) // 2
    return f"({_either(conditions[:middle])} OR {_either(conditions[middle:])})"
