"""A heartbeat: a file whose age says for how long no event has been acked."""

from pathlib import Path
from types import TracebackType
from typing import Self

from loadgen.progress import Reporter
from loadgen.results import Second


class Heartbeat:
    """Reports on to ``inner``, and touches ``file`` every second in which an event was acked.

    There is no file before the first ack, even if an earlier run left one. Raises OSError if it can't be written.
    """

    def __init__(self, file: Path, inner: Reporter) -> None:
        file.touch()
        file.unlink()
        self._file = file
        self._inner = inner

    def __enter__(self) -> Self:
        self._inner.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._inner.__exit__(kind, error, trace)

    def report(self, second: Second, /) -> None:
        if second.acked:
            self._file.touch()
        self._inner.report(second)
