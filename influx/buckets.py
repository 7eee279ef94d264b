"""The organization and its buckets on the server."""

# influxdb_client declares itself typed, but most of its functions are not annotated.
# mypy: disable-error-code="no-untyped-call"

from collections.abc import Iterable

from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync
from influxdb_client.domain.bucket import Bucket as Answer
from influxdb_client.domain.bucket_retention_rules import BucketRetentionRules
from influxdb_client.domain.patch_bucket_request import PatchBucketRequest
from influxdb_client.domain.post_bucket_request import PostBucketRequest
from influxdb_client.domain.post_organization_request import PostOrganizationRequest
from influxdb_client.rest import ApiException
from influxdb_client.service.buckets_service import BucketsService
from influxdb_client.service.organizations_service import OrganizationsService

from influx.declared import DAY_SECONDS, FOR_EVER, Bucket


async def organization_id(client: InfluxDBClientAsync, name: str) -> str:
    """Empty if there is no such organization, or the token may not see it."""
    try:
        answer = await OrganizationsService(client.api_client).get_orgs_async(org=name)
    except ApiException as error:
        if error.status == 404:
            return ""
        raise
    return str(answer.orgs[0].id) if answer.orgs else ""


async def create_organization(client: InfluxDBClientAsync, name: str) -> None:
    await OrganizationsService(client.api_client).post_orgs_async(PostOrganizationRequest(name=name))


async def existing(client: InfluxDBClientAsync, organization: str, names: Iterable[str]) -> list[Answer]:
    """Those of the named buckets that are there and that the client's token may read.

    Each is asked for by name: InfluxDB pages a list before it drops what the token may not read.
    """
    found = [await find(client, organization, name) for name in names]
    return [bucket for bucket in found if bucket is not None]


async def find(client: InfluxDBClientAsync, organization: str, name: str) -> Answer | None:
    try:
        answer = await BucketsService(client.api_client).get_buckets_async(org=organization, name=name)
    except ApiException as error:
        if error.status == 404:
            return None
        raise
    return answer.buckets[0] if answer.buckets else None


def retention_seconds(bucket: Answer) -> int:
    return int(bucket.retention_rules[0].every_seconds) if bucket.retention_rules else FOR_EVER


async def create_bucket(client: InfluxDBClientAsync, org_id: str, bucket: Bucket) -> None:
    request = PostBucketRequest(org_id=org_id, name=bucket.name, retention_rules=[rule(bucket.retention_seconds)])
    await BucketsService(client.api_client).post_buckets_async(request)


async def set_retention(client: InfluxDBClientAsync, bucket_id: str, seconds: int) -> None:
    request = PatchBucketRequest(retention_rules=[rule(seconds)])
    await BucketsService(client.api_client).patch_buckets_id_async(bucket_id, request)


def rule(seconds: int) -> BucketRetentionRules:
    """InfluxDB's own choice of shard size, which it makes for a new bucket only.

    An update must carry one: it is refused if the old shards are longer than the new retention.
    """
    days = seconds / DAY_SECONDS
    shard_seconds = 3_600 if 0 < days < 2 else DAY_SECONDS if 0 < days <= 180 else 7 * DAY_SECONDS
    return BucketRetentionRules(every_seconds=seconds, shard_group_duration_seconds=shard_seconds)
