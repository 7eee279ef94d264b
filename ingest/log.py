"""Structured logs on stderr: one line an event of the service's life, none a request."""

import json
import logging
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from ingest.plain_text import plain


def configure(log_format: str, worker: int = 0) -> None:
    """``text`` for people, ``json`` for machines; ``auto`` is text on a terminal. Libraries' warnings come along.

    Where it is not 0, ``worker`` stands in every line.
    """
    as_text = log_format == "text" or (log_format == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        *([_Named(worker)] if worker else []),
    ]
    end: list[Processor] = (
        [_plain, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
        if as_text
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(_printable_json)]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *end], foreign_pre_chain=shared
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    logging.getLogger("aiohttp").setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


class _Named:
    def __init__(self, worker: int) -> None:
        self._worker = worker

    def __call__(self, _: WrappedLogger, __: str, event: EventDict) -> EventDict:
        # Of another worker the line itself says which.
        event.setdefault("worker", self._worker)
        return event


def _plain(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    # A traceback, which has lines of its own, is not among them yet.
    return {name: plain(value) if isinstance(value, str) else value for name, value in event.items()}


def _printable_json(event: EventDict, **options: Any) -> str:
    # JSON leaves as they are some that terminals obey: C1 controls, and what turns the direction of writing.
    text = json.dumps(event, ensure_ascii=False, **options)
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else json.dumps(character).removeprefix('"').removesuffix('"')
        for character in text
    )
