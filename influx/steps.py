"""The changes a plan is made of, and how each is told: done, or only planned."""

from dataclasses import dataclass

from influx import durations
from influx.declared import FOR_EVER, Bucket, Token


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one thing, as `thing: done` or, before it happens, `thing: planned`."""

    thing: str
    done: str
    planned: str


def created(thing: str) -> Change:
    return Change(thing, "created", "would create")


def bucket_created(name: str) -> tuple[Change, ...]:
    """InfluxDB makes up a bucket's mapping together with the bucket."""
    mapping = Change(f"dbrp {name}", "came with the bucket", "would come with the bucket")
    return created(f"bucket {name}"), mapping


@dataclass(frozen=True, slots=True)
class SetUp:
    """Onboard a fresh server: organization, admin user, first bucket, operator token."""

    organization: str
    bucket: Bucket

    @property
    def changes(self) -> tuple[Change, ...]:
        server = Change("server", "set up, operator token in admin.token", "would set up")
        return server, created(f"organization {self.organization}"), *bucket_created(self.bucket.name)


@dataclass(frozen=True, slots=True)
class CreateOrganization:
    name: str

    @property
    def changes(self) -> tuple[Change, ...]:
        return (created(f"organization {self.name}"),)


@dataclass(frozen=True, slots=True)
class CreateBucket:
    bucket: Bucket

    @property
    def changes(self) -> tuple[Change, ...]:
        return bucket_created(self.bucket.name)


@dataclass(frozen=True, slots=True)
class SetRetention:
    bucket: Bucket
    was_seconds: int

    @property
    def shrinks(self) -> bool:
        """Whether InfluxDB deletes data it would have kept."""
        now_seconds = self.bucket.retention_seconds
        return now_seconds != FOR_EVER and (self.was_seconds == FOR_EVER or now_seconds < self.was_seconds)

    @property
    def changes(self) -> tuple[Change, ...]:
        arrow = f"retention {durations.text(self.was_seconds)} → {durations.text(self.bucket.retention_seconds)}"
        return (Change(f"bucket {self.bucket.name}", arrow, f"would change {arrow}"),)


@dataclass(frozen=True, slots=True)
class MapDatabase:
    """Map the database of a bucket's name to it; `obsolete` are the ids of mappings in the way."""

    bucket: str
    obsolete: tuple[str, ...] = ()

    @property
    def changes(self) -> tuple[Change, ...]:
        return (Change(f"dbrp {self.bucket}", "mapped to its bucket", "would map to its bucket"),)


@dataclass(frozen=True, slots=True)
class IssueToken:
    """Create a token and its file; then delete the authorizations with the ids in `obsolete`."""

    token: Token
    obsolete: tuple[str, ...] = ()
    reason: str = ""

    @property
    def changes(self) -> tuple[Change, ...]:
        thing = f"token {self.token.name}"
        if not self.obsolete:
            return (created(thing),)
        return (Change(thing, f"replaced ({self.reason})", f"would replace ({self.reason})"),)


Step = SetUp | CreateOrganization | CreateBucket | SetRetention | MapDatabase | IssueToken
