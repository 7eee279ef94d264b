"""A process of the service: how its interpreter runs, and the signals that end it."""

import asyncio
import gc
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from prometheus_client import disable_created_metrics

# The thread that commits asks for the interpreter after every statement; at Python's 5 ms it waits for it longer
# than for the disk (at 1000 requests/s the median ack halves).
_SWITCH_SECONDS = 0.0005
# New objects before a search for cycles, and rounds of that before it looks at older ones. Python's own 700 are gone in
# a few milliseconds here: with 2000 requests at work half of the time went into looking through them in vain.
_GC_THRESHOLDS = (20_000, 20, 20)
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run(work: Coroutine[Any, Any, None]) -> None:
    """Carry out ``work`` in this process, which does nothing else."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
    disable_created_metrics()  # type: ignore[no-untyped-call]
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(work)


@contextmanager
def stopping() -> Iterator[asyncio.Event]:
    """Set when the process is asked to end; from the end of the context on it is on its way, and asking changes
    nothing."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _STOP_SIGNALS:
        # Not the loop's own handlers: these go with it, and one more signal on the way out would kill what ends well.
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    yield stop
    for number in _STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if find_spec("uvloop") is None:
        return None
    new_event_loop: Callable[[], asyncio.AbstractEventLoop] = import_module("uvloop").new_event_loop
    return new_event_loop
