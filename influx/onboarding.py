"""The one-time set-up of a fresh server."""

# influxdb_client declares itself typed, but most of its functions are not annotated.
# mypy: disable-error-code="no-untyped-call"

import asyncio

from influxdb_client.domain.onboarding_request import OnboardingRequest
from influxdb_client.rest import ApiException
from influxdb_client.service.setup_service import SetupService

from influx.connection import Access, connected
from influx.declared import Bucket
from influx.errors import Refused, Unreachable

POLL_SECONDS = 0.25


async def is_fresh(access: Access, *, wait_seconds: float = 0) -> bool:
    """Whether nobody has set the server up yet; waits so long for a server that does not answer.

    Raises Unreachable when the time is over, Refused if what answers is not InfluxDB 2.
    """
    deadline = asyncio.get_running_loop().time() + wait_seconds
    while True:
        try:
            return await ask(access)
        except Unreachable:
            if asyncio.get_running_loop().time() >= deadline:
                raise
        await asyncio.sleep(POLL_SECONDS)


async def ask(access: Access) -> bool:
    # Without a token: this question is open to everybody, and a wrong token shall not spoil it.
    async with connected(Access(access.url)) as client:
        try:
            answer = await SetupService(client.api_client).get_setup_async()
        except ApiException as error:
            if error.status == 404:
                raise Refused(f"What answers at {access.url} is not an InfluxDB 2: check --url.") from None
            raise
        return bool(answer.allowed)


async def set_up(access: Access, organization: str, bucket: Bucket) -> None:
    """Make the organization, its first bucket and the admin user, with `access.token` as the operator token."""
    request = OnboardingRequest(
        username=access.username,
        password=access.password,
        org=organization,
        bucket=bucket.name,
        retention_period_seconds=bucket.retention_seconds,
        token=access.token,
    )
    async with connected(access) as client:
        await SetupService(client.api_client).post_setup_async(request)
