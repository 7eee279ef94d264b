"""DBRP mappings: which bucket an InfluxQL database reads.

InfluxDB shows a virtual mapping for every bucket, the default of its name unless a stored one is.
"""

# influxdb_client declares itself typed, but most of its functions are not annotated.
# mypy: disable-error-code="no-untyped-call"

from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync
from influxdb_client.domain.dbrp import DBRP
from influxdb_client.domain.dbrp_create import DBRPCreate
from influxdb_client.service.dbr_ps_service import DBRPsService

from influx.declared import RETENTION_POLICY


async def all_mappings(client: InfluxDBClientAsync, org_id: str) -> list[DBRP]:
    """Every mapping of the organization, stored and virtual."""
    answer = await DBRPsService(client.api_client).get_dbr_ps_async(org_id=org_id)
    return list(answer.content)


async def map_database(client: InfluxDBClientAsync, org_id: str, bucket: str, bucket_id: str) -> None:
    """Store a mapping of the bucket's own name to it; any other default of that name ceases to be one."""
    mapping = DBRPCreate(
        org_id=org_id, bucket_id=bucket_id, database=bucket, retention_policy=RETENTION_POLICY, default=True
    )
    await DBRPsService(client.api_client).post_dbrp_async(mapping)


async def delete_mapping(client: InfluxDBClientAsync, org_id: str, mapping_id: str) -> None:
    await DBRPsService(client.api_client).delete_dbrpid_async(mapping_id, org_id=org_id)
