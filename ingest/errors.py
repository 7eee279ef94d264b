"""What can keep a request from being carried out; ``routes/answers.py`` has the HTTP status of each."""

import math


class IngestError(Exception):
    """``code`` is stable, the message is one sentence for people."""

    code = "internal"
    retry_after_seconds = 5


class BodyTooLarge(IngestError):
    code = "body_too_large"

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"the body is over {max_bytes} bytes")


class TooManyEvents(IngestError):
    code = "too_many_events"

    def __init__(self, max_events: int) -> None:
        super().__init__(f"the body holds more than {max_events} events; none of them was kept: send fewer at a time")


class LineTooLong(IngestError):
    code = "line_too_long"

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"an event or a line of the body is over {max_bytes} bytes; nothing of the body was kept")


class BodyTooSlow(IngestError):
    code = "body_too_slow"

    def __init__(self, timeout_seconds: float) -> None:
        super().__init__(f"the body did not arrive within {timeout_seconds:g} s")


class UnknownEncoding(IngestError):
    code = "unknown_encoding"

    def __init__(self, encoding: str) -> None:
        super().__init__(f"Content-Encoding {encoding[:40]!r} is not known: send gzip or none")


class BrokenEncoding(IngestError):
    code = "broken_encoding"


class UnknownContentType(IngestError):
    code = "content_type"

    def __init__(self, content_type: str) -> None:
        super().__init__(
            f"Content-Type {content_type[:60]!r} is not taken: send application/json or application/x-ndjson"
            " (curl: -H 'Content-Type: application/json')"
        )


class BadParameter(IngestError):
    code = "bad_parameter"


class Unauthorized(IngestError):
    """Nobody knows whose request this is."""

    code = "unauthorized"


class Forbidden(IngestError):
    """The client is known, and has no right to this."""

    code = "forbidden"

    def __init__(self, client: str, right: str) -> None:
        super().__init__(f"the token of {client} may not {right}")
        self.client = client


class CrossSite(IngestError):
    """A browser asks on behalf of a page that is not the service's own."""

    code = "cross_site"

    def __init__(self) -> None:
        super().__init__("a page of another site may not have a browser do this")


class UnknownHost(IngestError):
    """Who sends no token calls the service by a name that may be anybody's."""

    code = "unknown_host"

    def __init__(self) -> None:
        super().__init__("this service is not known by that name: tell it with --host-names, or send a token")


class SpoolFull(IngestError):
    """Nothing more fits until the store has taken some; the events are not kept."""

    code = "spool_full"


class DeadLettersFull(IngestError):
    """So much of other measurements was refused by InfluxDB that no more of them is taken; events are."""

    code = "dead_letters_full"

    def __init__(self, max_bytes: int) -> None:
        super().__init__(
            f"dead letters hold {max_bytes} bytes: only events are taken until `ingest dead-letters` has replayed or"
            " purged them"
        )


class DiskFailed(IngestError):
    """The disk did not take the events; they are not kept."""

    code = "disk_failed"


class StoreUnavailable(IngestError):
    """The store cannot be read now; ``wait_seconds`` is how long it asks to be left alone."""

    code = "store_unavailable"

    def __init__(self, message: str, wait_seconds: float = 0.0) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds


class QueryRefused(StoreUnavailable):
    """The store answers, and takes this query for wrong: to ask again helps nobody."""


class WriteUnanswered(StoreUnavailable):
    """A write went out and no answer came: the store may carry it out at any time."""


class MainUnavailable(IngestError):
    """A worker cannot reach the main process, which reads: it is ending, or being started again."""

    code = "main_unavailable"

    def __init__(self) -> None:
        super().__init__("the process that reads is away for a moment: ask again")


class TooManyWatchers(IngestError):
    """So many follow the live events already."""

    code = "too_many_watchers"

    def __init__(self, most: int) -> None:
        super().__init__(f"{most} watchers follow the live events already; /get_data can be read all the same")


class Overloaded(IngestError):
    """More is at work than can be done in time; the events are not kept."""

    code = "overloaded"
    retry_after_seconds = 1

    def __init__(self) -> None:
        super().__init__("more is sent than can be kept in time: send it again in a moment")


class TooManyReads(IngestError):
    """So many answers are under way, and those before took too long."""

    code = "too_many_reads"

    def __init__(self, most: int) -> None:
        super().__init__(f"{most} answers with events are under way already: ask again in a moment")


class TooManyRequests(IngestError):
    """A client sends more requests a second than it may."""

    code = "too_many_requests"

    def __init__(self, client: str, per_second: float, wait_seconds: float) -> None:
        super().__init__(f"{client} may send {per_second:g} requests a second: put more events into each, or wait")
        self.retry_after_seconds = max(1, math.ceil(wait_seconds))


class TooManyConnections(IngestError):
    """There is a limit, and it is reached."""

    code = "too_many_connections"
    retry_after_seconds = 1

    def __init__(self) -> None:
        super().__init__("too many connections are open: close some, or come back in a moment")


class Closed(IngestError):
    """The service is stopping; the events are not kept."""

    code = "stopping"
