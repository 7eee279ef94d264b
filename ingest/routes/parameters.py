"""The query parameters of the routes that read."""

from collections.abc import Collection
from typing import Final

from multidict import MultiMapping

from ingest.errors import BadParameter
from ingest.event import ERRO, MAX_TIMESTAMP_MS, PROCESSADO
from ingest.store import Selection
from ingest.store.search import Search
from ingest.tag import is_segment
from ingest.times import parse_time_ms

# Those that ``selection`` reads.
SELECTION: Final = ("start", "stop", "country", "region", "sensor", "status")
# Those that ``search`` reads.
SEARCH: Final = (*SELECTION, "text")


def only(query: MultiMapping[str], known: Collection[str], *, repeatable: Collection[str] = ()) -> None:
    """Raises BadParameter if the query names others than ``known``, or one twice that is not ``repeatable``.

    Passing over a misspelled filter would answer with everything, and look like the answer to the question.
    """
    for name in query:
        if name not in known:
            raise BadParameter(f"{name[:40]!r} is no parameter of this route, which has {', '.join(sorted(known))}")
        if name not in repeatable and len(query.getall(name)) > 1:
            raise BadParameter(f"{name} stands twice; it has one value")


def selection(query: MultiMapping[str]) -> Selection:
    """Which events the request asks for. Raises BadParameter."""
    return Selection(
        start_ms=time_ms(query, "start"),
        stop_ms=time_ms(query, "stop"),
        country=_segment(query, "country"),
        region=_segment(query, "region"),
        sensor=_segment(query, "sensor"),
        status=_status(query),
    )


def search(query: MultiMapping[str]) -> Search:
    """Which of them, by the ``text`` that they hold. Raises BadParameter."""
    return Search.of(selection(query), query.get("text", ""))


def positive(query: MultiMapping[str], name: str, default: int) -> int:
    """A whole number above 0. Raises BadParameter."""
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and 0 < len(text) <= 15 and int(text)):
        raise BadParameter(f"{name} must be a whole number above 0, not {text[:40]!r}")
    return int(text)


def time_ms(query: MultiMapping[str], name: str) -> int | None:
    """Unix ms, None if the query does not name it. Raises BadParameter."""
    text = query.get(name)
    if text is None:
        return None
    try:
        time = parse_time_ms(text)
    except ValueError:
        raise BadParameter(
            f"{name} must be Unix milliseconds or a time like 2026-11-23T14:00:00Z, not {text[:40]!r}"
        ) from None
    if abs(time) > MAX_TIMESTAMP_MS:
        raise BadParameter(f"{name} is out of range")
    return time


def _segment(query: MultiMapping[str], name: str) -> str | None:
    text = query.get(name)
    if text is not None and (not text or not is_segment(text)):
        raise BadParameter(f"{name} may hold only letters, digits, '_' and '-'")
    return text


def _status(query: MultiMapping[str]) -> str | None:
    status = query.get("status")
    if status not in (None, PROCESSADO, ERRO):
        raise BadParameter(f"status is {PROCESSADO} or {ERRO}")
    return status
