"""The order of a recording: told if it is the newest first, for then it can't be played as it happened."""

from collections.abc import Callable, Iterator
from typing import Final

from loadgen.replay.lines import Line

# A few events are late in every recording, and one step back may be the first.
STEPS_TO_BE_SURE: Final = 10


def watched(lines: Iterator[Line], tell_newest_first: Callable[[], None]) -> Iterator[Line]:
    """The same lines; says it once if more steps between them lead back in time than forth."""
    back, before = 0, None
    for line in lines:
        if before is not None:
            back += (line.timestamp < before) - (line.timestamp > before)
        before = line.timestamp
        yield line
        if back == STEPS_TO_BE_SURE:
            break
    if back > 0:
        tell_newest_first()
    yield from lines
