"""Authorizations: tokens as the server knows them.

Since 2.9 InfluxDB stores a token hashed and lists it with an empty text. So the only way to
know whether a text is alive, and what for, is to ask with it.
"""

# influxdb_client declares itself typed, but most of its functions are not annotated.
# mypy: disable-error-code="no-untyped-call"

from collections.abc import Collection, Mapping

from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync
from influxdb_client.domain.authorization import Authorization
from influxdb_client.domain.authorization_post_request import AuthorizationPostRequest
from influxdb_client.domain.permission import Permission
from influxdb_client.domain.permission_resource import PermissionResource
from influxdb_client.rest import ApiException
from influxdb_client.service.authorizations_service import AuthorizationsService
from influxdb_client.service.write_service import WriteService

from influx.buckets import existing
from influx.connection import Access, connected
from influx.declared import Grant, Token
from influx.errors import Unauthorized


async def all_authorizations(client: InfluxDBClientAsync, org_id: str = "") -> list[Authorization]:
    """Every authorization the client's token may see, of one organization or of all."""
    scope = {"org_id": org_id} if org_id else {}
    answer = await AuthorizationsService(client.api_client).get_authorizations_async(**scope)
    return list(answer.authorizations)


def grants(authorization: Authorization, bucket_names: Mapping[str, str]) -> frozenset[Grant]:
    """Its permissions by bucket name; one for anything but a bucket of ours keeps its type and id."""
    return frozenset(grant(permission, bucket_names) for permission in authorization.permissions)


def grant(permission: Permission, bucket_names: Mapping[str, str]) -> Grant:
    resource = permission.resource
    if resource.type == "buckets" and resource.id in bucket_names:
        return Grant(permission.action, bucket_names[resource.id])
    return Grant(permission.action, f"{resource.type}/{resource.id or '*'}")


async def create_authorization(
    client: InfluxDBClientAsync, org_id: str, token: Token, bucket_ids: Mapping[str, str]
) -> Authorization:
    """The new authorization, the only one that ever shows its token's text."""
    permissions = [
        Permission(one.action, PermissionResource(type="buckets", id=bucket_ids[one.bucket], org_id=org_id))
        for one in sorted(token.grants)
    ]
    request = AuthorizationPostRequest(org_id=org_id, description=token.description, permissions=permissions)
    created: Authorization = await AuthorizationsService(client.api_client).post_authorizations_async(request)
    return created


async def delete_authorization(client: InfluxDBClientAsync, authorization_id: str) -> None:
    await AuthorizationsService(client.api_client).delete_authorizations_id_async(authorization_id)


async def allowed(access: Access, organization: str, bucket_names: Collection[str]) -> frozenset[Grant] | None:
    """What the token of `access` may do with these buckets, which must exist; None if it is dead."""
    if not access.token.isascii() or not access.token.isprintable() or not access.token:
        return None
    try:
        async with connected(access) as client:
            readable = [bucket.name for bucket in await existing(client, organization, bucket_names)]
            writable = [name for name in bucket_names if await may_write(client, organization, name)]
    except Unauthorized:
        return None
    return frozenset([*(Grant("read", name) for name in readable), *(Grant("write", name) for name in writable)])


async def may_write(client: InfluxDBClientAsync, organization: str, bucket: str) -> bool:
    try:
        # A comment holds no point: InfluxDB checks the permission and stores nothing.
        await WriteService(client.api_client).post_write_async(org=organization, bucket=bucket, body=b"# may I?")
    except ApiException as error:
        if error.status == 403:
            return False
        raise
    return True
