"""The tag of an event: ``country.region.sensor``."""

import msgspec

from ingest.bounded import BoundedDict
from ingest.reject import Reject

MAX_SEGMENT_CHARACTERS = 64
MAX_CACHED_TAGS = 200_000


class Tag(msgspec.Struct, frozen=True, gc=False, order=True):
    """The three segments of a tag that keeps the rules."""

    country: str
    region: str
    sensor: str

    def __str__(self) -> str:
        return f"{self.country}.{self.region}.{self.sensor}"


def parse_tag(text: str) -> Tag | Reject:
    """Split ``country.region.sensor``, or say which rule the text breaks."""
    segments = text.split(".")
    if len(segments) != 3:
        return Reject("tag_segments", f"tag must be country.region.sensor: three segments, not {len(segments)}")
    for segment in segments:
        if not segment:
            return Reject("tag_empty_segment", "tag has an empty segment; it must be country.region.sensor")
        if len(segment) > MAX_SEGMENT_CHARACTERS:
            return Reject("tag_too_long", f"a segment of tag is over {MAX_SEGMENT_CHARACTERS} characters")
        if not is_segment(segment):
            return Reject("tag_characters", "tag may hold only letters, digits, '_' and '-' between its dots")
    return Tag(*segments)


def is_segment(text: str) -> bool:
    """Whether every character may stand in a segment: a Unicode letter, an ASCII digit, ``_`` or ``-``."""
    return all(character.isalpha() or character in "0123456789_-" for character in text)


class TagCache:
    """Parses each tag once; bounded, so that a flood of made-up tags cannot grow it."""

    def __init__(self) -> None:
        self._tags: BoundedDict[str, Tag] = BoundedDict(MAX_CACHED_TAGS)

    def parse(self, text: str) -> Tag | Reject:
        return self._tags.get(text) or self._parse_new(text)

    def _parse_new(self, text: str) -> Tag | Reject:
        tag = parse_tag(text)
        return self._tags.remember(text, tag) if isinstance(tag, Tag) else tag
