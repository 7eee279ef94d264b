"""A look at the server and the tokens folder. It changes nothing."""

from collections.abc import Iterable, Mapping

from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync
from influxdb_client.domain.authorization import Authorization

from influx import authorizations, buckets, databases
from influx.connection import Access, connected
from influx.declared import Declared
from influx.errors import Unauthorized
from influx.found import Found, FoundAuthorization, FoundBucket, FoundMapping, TokenFile
from influx.tokens import TokenFolder


async def look(declared: Declared, access: Access, folder: TokenFolder) -> Found:
    """What a server that is set up holds.

    Raises Unauthorized if the token may not administer it, Unreachable, Refused.
    """
    async with connected(access) as client:
        org_id = await buckets.organization_id(client, declared.organization)
        held = await authorizations.all_authorizations(client, org_id) if org_id else []
        if not held:
            await require_admin(client, access)
        if not org_id:
            return Found(fresh=False)
        existing = await buckets.existing(client, declared.organization, declared.bucket_names)
        names = {str(bucket.id): str(bucket.name) for bucket in existing}
        return Found(
            fresh=False,
            organization=True,
            buckets=tuple(FoundBucket(bucket.name, buckets.retention_seconds(bucket)) for bucket in existing),
            mappings=await found_mappings(client, org_id, names),
            authorizations=found_authorizations(held, names),
            files=await found_files(declared, access, folder, names),
        )


async def require_admin(client: InfluxDBClientAsync, access: Access) -> None:
    # A scoped token gets no errors but empty lists, and everything would seem to be missing.
    if not await authorizations.all_authorizations(client):
        raise Unauthorized(
            f"The token from {access.token_source} may not administer InfluxDB at {access.url}: "
            "give the operator token in a file with --token-file or INFLUXDB_TOKEN_FILE."
        )


async def found_mappings(
    client: InfluxDBClientAsync, org_id: str, names: Mapping[str, str]
) -> tuple[FoundMapping, ...]:
    return tuple(
        FoundMapping(
            id=one.id,
            database=one.database,
            retention_policy=one.retention_policy,
            bucket=names.get(one.bucket_id, ""),
            default=one.default,
            virtual=bool(one.virtual),
        )
        for one in await databases.all_mappings(client, org_id)
    )


def found_authorizations(held: Iterable[Authorization], names: Mapping[str, str]) -> tuple[FoundAuthorization, ...]:
    return tuple(
        FoundAuthorization(one.id, one.description or "", one.status == "active", authorizations.grants(one, names))
        for one in held
    )


async def found_files(
    declared: Declared, access: Access, folder: TokenFolder, names: Mapping[str, str]
) -> dict[str, TokenFile]:
    files = {}
    for token in declared.tokens:
        text = folder.read(token.name)
        if text is not None:
            holder = Access(access.url, text)
            grants = await authorizations.allowed(holder, declared.organization, names.values())
            files[token.name] = TokenFile(grants, folder.group(token.name))
    return files
