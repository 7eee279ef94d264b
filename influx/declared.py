"""What must be there: the organization, its buckets and the scoped tokens."""

from dataclasses import dataclass

FOR_EVER = 0
DAY_SECONDS = 86_400
RETENTION_POLICY = "autogen"

EVENTS = "pulso"
ROLLUP = "pulso_rollup"
OPS = "ops"


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket; also an InfluxQL database of the same name, of RETENTION_POLICY."""

    name: str
    retention_seconds: int = FOR_EVER


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One permission: `action` is `read` or `write`, `bucket` a name."""

    action: str
    bucket: str


@dataclass(frozen=True, slots=True)
class Token:
    """A token that may do what `grants` say and nothing else.

    Its file is for its owner alone, or for the members of `group` (a gid), too.
    """

    name: str
    grants: frozenset[Grant]
    group: int | None = None

    @property
    def description(self) -> str:
        """How its authorization is recognised on the server."""
        return f"pulso: {self.name}"


@dataclass(frozen=True, slots=True)
class Declared:
    """All that InfluxDB must hold. Bucket and token names are unique."""

    organization: str
    buckets: tuple[Bucket, ...]
    tokens: tuple[Token, ...]

    @property
    def bucket_names(self) -> tuple[str, ...]:
        return tuple(bucket.name for bucket in self.buckets)


def pulso(
    organization: str = "pulso",
    *,
    events: Bucket = Bucket(EVENTS),
    rollup: Bucket = Bucket(ROLLUP),
    ops: Bucket = Bucket(OPS, 30 * DAY_SECONDS),
) -> Declared:
    """What Pulso needs, each service with a token for no more than it does."""
    return Declared(
        organization,
        (events, rollup, ops),
        (
            token("ingest", write=(events, rollup)),
            token("ingest-read", read=(events, rollup)),
            token("grafana", read=(events, rollup, ops)),
            token("telegraf", write=(ops,)),
        ),
    )


def token(name: str, *, read: tuple[Bucket, ...] = (), write: tuple[Bucket, ...] = ()) -> Token:
    """A token that may read and write the given buckets."""
    readable = {Grant("read", bucket.name) for bucket in read}
    writable = {Grant("write", bucket.name) for bucket in write}
    return Token(name, frozenset(readable | writable))
