"""Events as rows of JSON, NDJSON or CSV, page by page."""

import csv
import io
from collections.abc import Sequence
from typing import ClassVar, Protocol

import msgspec

from ingest.routes.spreadsheet import cell
from ingest.store import StoredEvent
from ingest.store.paging import Cursor


class Row(msgspec.Struct, frozen=True):
    """An event as ``/get_data`` shows it."""

    timestamp: int
    tag: str
    valor: str
    status: str


class Rows(Protocol):
    """Writes one answer: ``page`` for each page in order, then ``end``."""

    headers: ClassVar[dict[str, str]]

    def page(self, events: Sequence[StoredEvent]) -> bytes: ...

    def end(self, _cursor: Cursor | None, /) -> bytes: ...


class JsonRows:
    """``{"events": [row, …], "cursor": "…"}``; the cursor is null at the end."""

    headers: ClassVar = {"Content-Type": "application/json; charset=utf-8"}

    def __init__(self) -> None:
        self._before = b'{"events":['

    def page(self, events: Sequence[StoredEvent]) -> bytes:
        rows = msgspec.json.encode([_row(event) for event in events])[1:-1]
        if not rows:
            return b""
        page, self._before = self._before + rows, b","
        return page

    def end(self, cursor: Cursor | None) -> bytes:
        start = b"" if self._before == b"," else self._before
        return start + b'],"cursor":' + msgspec.json.encode(cursor and str(cursor)) + b"}\n"


class NdjsonRows:
    """A row a line."""

    headers: ClassVar = {"Content-Type": "application/x-ndjson; charset=utf-8"}

    def __init__(self) -> None:
        self._encoder = msgspec.json.Encoder()

    def page(self, events: Sequence[StoredEvent]) -> bytes:
        return self._encoder.encode_lines([_row(event) for event in events])

    def end(self, _cursor: Cursor | None) -> bytes:
        return b""


class CsvRows:
    """RFC 4180, with a header; a file to be saved, and safe to be opened in a spreadsheet."""

    headers: ClassVar = {
        "Content-Type": "text/csv; charset=utf-8",
        "Content-Disposition": 'attachment; filename="events.csv"',
    }

    def __init__(self) -> None:
        self._header = "timestamp,tag,valor,status\r\n"

    def page(self, events: Sequence[StoredEvent]) -> bytes:
        text = io.StringIO()
        text.write(self._header)
        self._header = ""
        csv.writer(text).writerows(
            (event.timestamp_ms, cell(event.tag), cell(event.valor), event.status) for event in events
        )
        return text.getvalue().encode()

    def end(self, _cursor: Cursor | None) -> bytes:
        return b""


def rows_for(accept: str) -> Rows:
    """What an ``Accept`` header asks for; JSON unless it names another of the three first."""
    for media_range in accept.lower().split(","):
        match media_range.partition(";")[0].strip():
            case "application/x-ndjson" | "application/ndjson" | "application/jsonl":
                return NdjsonRows()
            case "text/csv":
                return CsvRows()
            case "application/json":
                return JsonRows()
    return JsonRows()


def _row(event: StoredEvent) -> Row:
    return Row(event.timestamp_ms, event.tag, event.valor, event.status)
