"""A folder as the archive of ingest leaves it, made by hand."""

import gzip
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from loadgen.sensors import Event

FOLDERS = {True: "processed", False: "error"}


def write_archive(folder: Path, events: list[Event]) -> None:
    """An hour a file, in the order of arrival; the last hour of each folder is still open, all others are packed."""
    lines = defaultdict(list)
    for event in events:
        hour = datetime.fromtimestamp(event.timestamp // 1000, UTC).isoformat()[:13]
        lines[FOLDERS[bool(event.valor)], hour].append(msgspec.json.encode(event) + b"\n")
    for status in FOLDERS.values():
        (folder / status).mkdir(parents=True)
        hours = sorted(hour for name, hour in lines if name == status)
        for hour in hours:
            content = b"".join(lines[status, hour])
            if hour == hours[-1]:
                (folder / status / f"{hour}.ndjson").write_bytes(content)
            else:
                (folder / status / f"{hour}.ndjson.gz").write_bytes(gzip.compress(content))
