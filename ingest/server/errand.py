"""Work without a task: that would cost more than all else that is done for a small request."""

from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")


class Errand(Generic[Result]):
    """Runs ``work``, which awaits futures alone, and hands ``done`` what it returns, or None for what ended it."""

    __slots__ = ("_done", "_work")

    def __init__(self, work: Coroutine[Any, Any, Result], done: Callable[[Result | None], None]) -> None:
        self._work = work
        self._done = done

    def go_on(self, _: object = None) -> None:
        """Up to the next future that is awaited."""
        try:
            awaited = self._work.send(None)
        except StopIteration as end:
            self._done(end.value)
        except BaseException:
            self._done(None)
            raise
        else:
            awaited._asyncio_future_blocking = False  # noqa: SLF001 - as every task says that it has heard
            awaited.add_done_callback(self.go_on)
