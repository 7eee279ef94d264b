"""The tag of an event: ``country.region.sensor``."""

import re
from collections.abc import Iterable

import msgspec

from ingest.reject import Reject

MAX_SEGMENT_CHARACTERS = 64
MAX_CACHED_TAGS = 200_000
# Longer ones are looked at each time: 200 000 of the longest would be most of a gigabyte.
MAX_CACHED_TAG_CHARACTERS = 96
_PLAIN_SEGMENT = f"[A-Za-z0-9_-]{{1,{MAX_SEGMENT_CHARACTERS}}}"
_PLAIN = re.compile(rf"{_PLAIN_SEGMENT}\.{_PLAIN_SEGMENT}\.{_PLAIN_SEGMENT}")


class Tag(msgspec.Struct, frozen=True, gc=False, order=True):
    """The three segments of a tag that keeps the rules."""

    country: str
    region: str
    sensor: str

    def __str__(self) -> str:
        return f"{self.country}.{self.region}.{self.sensor}"


def parse_tag(text: str) -> Tag | Reject:
    """Split ``country.region.sensor``, or say which rule the text breaks."""
    dots = text.count(".")
    if dots != 2:
        return Reject("tag_segments", f"tag must be country.region.sensor: three segments, not {dots + 1}")
    segments = text.split(".")
    for segment in segments:
        if not segment:
            return Reject("tag_empty_segment", "tag has an empty segment; it must be country.region.sensor")
        if len(segment) > MAX_SEGMENT_CHARACTERS:
            return Reject("tag_too_long", f"a segment of tag is over {MAX_SEGMENT_CHARACTERS} characters")
        if not is_segment(segment):
            return Reject("tag_characters", "tag may hold only letters, digits, '_' and '-' between its dots")
    return Tag(*segments)


def are_plain(tags: Iterable[str]) -> bool:
    """Whether all keep the rules and are of ASCII, as most are; found out fast. If not, they have to be parsed."""
    return all(map(_PLAIN.fullmatch, tags))


def is_segment(text: str) -> bool:
    """Whether every character may stand in a segment: a Unicode letter, an ASCII digit, ``_`` or ``-``."""
    return all(character.isalpha() or character in "0123456789_-" for character in text)
