"""What has to change, from what is declared and what was found. Pure: it asks nobody and changes nothing."""

from collections.abc import Iterator

from influx.declared import RETENTION_POLICY, Bucket, Declared, Token
from influx.found import Found, FoundAuthorization, FoundMapping, TokenFile
from influx.steps import CreateBucket, CreateOrganization, IssueToken, MapDatabase, SetRetention, SetUp, Step


def plan(declared: Declared, found: Found) -> list[Step]:
    """The steps to what is declared, in the order they must be made; empty if nothing is to do."""
    return [
        *organization(declared, found),
        *buckets(declared, found),
        *mappings(declared, found),
        *tokens(declared, found),
    ]


def organization(declared: Declared, found: Found) -> Iterator[Step]:
    if found.fresh:
        yield SetUp(declared.organization, declared.buckets[0])
    elif not found.organization:
        yield CreateOrganization(declared.organization)


def buckets(declared: Declared, found: Found) -> Iterator[Step]:
    retentions = {bucket.name: bucket.retention_seconds for bucket in found.buckets}
    for bucket in declared.buckets[1:] if found.fresh else declared.buckets:
        if bucket.name not in retentions:
            yield CreateBucket(bucket)
        elif retentions[bucket.name] != bucket.retention_seconds:
            yield SetRetention(bucket, retentions[bucket.name])


def mappings(declared: Declared, found: Found) -> Iterator[Step]:
    exists = {bucket.name for bucket in found.buckets}
    for bucket in declared.buckets:
        same_name = [mapping for mapping in found.mappings if mapping.database == bucket.name]
        stored = [mapping for mapping in same_name if not mapping.virtual]
        # A bucket yet to be made brings a virtual mapping along, unless a stored one has taken the name.
        if not stored and bucket.name not in exists:
            continue
        if not any(fits(mapping, bucket) for mapping in same_name):
            obsolete = (mapping.id for mapping in stored if mapping.retention_policy == RETENTION_POLICY)
            yield MapDatabase(bucket.name, tuple(obsolete))


def fits(mapping: FoundMapping, bucket: Bucket) -> bool:
    return mapping.default and mapping.bucket == bucket.name and mapping.retention_policy == RETENTION_POLICY


def tokens(declared: Declared, found: Found) -> Iterator[Step]:
    for token in declared.tokens:
        ours = [one for one in found.authorizations if one.description == token.description]
        reason = flaw(token, ours, found.files.get(token.name))
        if reason:
            yield IssueToken(token, tuple(one.id for one in ours), reason)


def flaw(token: Token, ours: list[FoundAuthorization], file: TokenFile | None) -> str:
    """What is wrong with a token, empty if nothing is."""
    checks = {
        "it does not exist": not ours,
        # Their texts are unreadable, so which one the file belongs to can't be told.
        f"there were {len(ours)} of this name": len(ours) > 1,
        "its file is gone": file is None,
        "its file was not for the declared readers": file is not None and file.group != token.group,
        "it was inactive": not all(one.active for one in ours),
        "its scope was not the declared one": any(one.grants != token.grants for one in ours),
        "its file's token no longer works": file is not None and file.grants is None,
        "its file's token has another scope": file is not None and file.grants != token.grants,
    }
    return next((reason for reason, true in checks.items() if true), "")
