"""What is there: a server's state and the token files, as far as they matter here."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from influx.declared import Grant


@dataclass(frozen=True, slots=True)
class FoundBucket:
    """A bucket of the organization; `retention_seconds` 0 keeps for ever."""

    name: str
    retention_seconds: int


@dataclass(frozen=True, slots=True)
class FoundMapping:
    """An InfluxQL database. A virtual one is made up by InfluxDB itself from a bucket's name."""

    id: str
    database: str
    retention_policy: str
    bucket: str
    default: bool
    virtual: bool


@dataclass(frozen=True, slots=True)
class FoundAuthorization:
    """An authorization of the organization; its token's text is known to nobody but its holder."""

    id: str
    description: str
    active: bool
    grants: frozenset[Grant]


@dataclass(frozen=True, slots=True)
class TokenFile:
    """A token file, what InfluxDB lets its text do (`None` if InfluxDB does not know it), and who may read it."""

    grants: frozenset[Grant] | None
    group: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a look at the server and the tokens folder saw; `files` is keyed by token name."""

    fresh: bool
    organization: bool = False
    buckets: tuple[FoundBucket, ...] = ()
    mappings: tuple[FoundMapping, ...] = ()
    authorizations: tuple[FoundAuthorization, ...] = ()
    files: Mapping[str, TokenFile] = field(default_factory=dict)
