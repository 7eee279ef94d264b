"""What the archive's files hold, read without any of ingest's code: as `zcat` and a JSON parser would."""

import gzip
import json
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from resource import RLIMIT_FSIZE, getrlimit, setrlimit

Identity = tuple[int, str, str]


def text_of(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def texts(archive: Path, folder: str = "*") -> list[bytes]:
    """Every line; each file has to end with a whole one."""
    lines: list[bytes] = []
    for path in sorted([*archive.glob(f"{folder}/*.ndjson"), *archive.glob(f"{folder}/*.ndjson.gz")]):
        text = text_of(path)
        assert text.endswith(b"\n"), f"{path} ends with half a line: {text[-200:]!r}"
        lines += text.splitlines()
    return lines


def identities(archive: Path, folder: str = "*") -> Counter[Identity]:
    """How often each event is there; a line that is no event fails."""
    events = (json.loads(line) for line in texts(archive, folder))
    return Counter((event["timestamp"], event["tag"], event.get("valor") or "") for event in events)


def names(archive: Path) -> list[str]:
    return sorted(str(path.relative_to(archive)) for path in archive.glob("*/*"))


@contextmanager
def files_no_longer_than(size: int) -> Iterator[None]:
    """A disk that is full for real: the system takes what fits and refuses the rest."""
    soft, hard = getrlimit(RLIMIT_FSIZE)
    assert signal.getsignal(signal.SIGXFSZ) == signal.SIG_IGN
    setrlimit(RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        setrlimit(RLIMIT_FSIZE, (soft, hard))
