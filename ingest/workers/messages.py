"""What the main process and a worker beside it tell each other."""

from pathlib import Path
from typing import Any

import msgspec

from ingest.settings import Settings
from ingest.spool.dirty_minutes import DirtyMinute
from ingest.spool.rows import Depth
from ingest.workers.families import Family


class Message(msgspec.Struct, frozen=True, tag=True):
    """One of those below."""


class Begin(Message, frozen=True):
    """To a worker, first of all: the settings of its share, as ``encoded`` makes them."""

    settings: bytes


class Opened(Message, frozen=True):
    """From a worker: its spool is open, and these ``series`` are known in it."""

    series: list[int]


class Listen(Message, frozen=True):
    """To a worker: take connections now, on this port; these ``series`` are known to the others."""

    port: int
    series: list[int]


class Listening(Message, frozen=True):
    """From a worker: it does."""


class Known(Message, frozen=True):
    """Either way: points of these ``series`` are on disk since a moment ago."""

    series: list[int]


class Arrived(Message, frozen=True):
    """From a worker: these events are durable since a moment ago; a column each."""

    timestamps_ms: list[int]
    tags: list[str]
    valores: list[str]


class Question(Message, frozen=True):
    """To a worker, which answers each with the same ``number``."""

    number: int


class HowAreYou(Question, frozen=True):
    """Asks for a Report."""


class WhatIsDirty(Question, frozen=True):
    """Asks for Dirty: up to ``limit`` minutes that wait to be counted, the newest first."""

    limit: int


class Counted(Question, frozen=True):
    """These minutes are counted; asks for Done."""

    minutes: list[DirtyMinute]


class Answer(Message, frozen=True):
    """From a worker."""

    number: int


class Report(Answer, frozen=True):
    """How a worker is: its metrics, what waits in its spool, and what ``/ready`` says of it."""

    families: list[Family]
    depth: Depth
    reasons: list[str]
    warnings: list[str]


class Dirty(Answer, frozen=True):
    """The minutes that were asked for."""

    minutes: list[DirtyMinute]


class Done(Answer, frozen=True):
    """It is."""


class Stop(Message, frozen=True):
    """To a worker: finish requests, ship what fits in the grace time, and end."""


ToWorker = Begin | Listen | Known | HowAreYou | WhatIsDirty | Counted | Stop
FromWorker = Opened | Listening | Known | Arrived | Report | Dirty | Done


def encoded(settings: Settings) -> bytes:
    """With the secrets among them: for another process of this service, not for a log."""
    return msgspec.msgpack.encode(settings, enc_hook=str)


def decoded(settings: bytes) -> Settings:
    return msgspec.msgpack.decode(settings, type=Settings, dec_hook=_path)


def _path(_: type[Any], text: str) -> Path:
    return Path(text)
