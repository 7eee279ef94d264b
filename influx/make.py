"""Make a plan's steps, one at a time."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace

from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync

from influx import authorizations, buckets, databases, onboarding
from influx.connection import Access, connected
from influx.errors import Refused
from influx.steps import CreateBucket, CreateOrganization, IssueToken, MapDatabase, SetRetention, SetUp, Step
from influx.tokens import ADMIN, TokenFolder, write_secret


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes steps for one organization; raises NotApplied, with the step half made at worst."""

    organization: str
    access: Access
    folder: TokenFolder

    async def make(self, step: Step) -> None:
        if isinstance(step, SetUp):
            await self.set_up(step)
            return
        async with connected(self.access) as client:
            if isinstance(step, CreateOrganization):
                await buckets.create_organization(client, step.name)
            else:
                await self.make_inside(client, step)

    async def set_up(self, step: SetUp) -> None:
        # Kept before the server hears of them: after a crash in between, the next run uses the same token.
        password = self.access.password or secrets.token_urlsafe(24)
        try:
            # A file that was given stays as it is, with the readers it has.
            if self.folder.read(ADMIN) != self.access.token:
                self.folder.write(ADMIN, self.access.token)
            if not self.access.password:
                write_secret(self.folder.password_file, password)
        except OSError as error:
            raise Refused(f"Can't write the operator token to {self.folder.path} ({error.strerror}).") from None
        await onboarding.set_up(replace(self.access, password=password), step.organization, step.bucket)

    async def make_inside(
        self, client: InfluxDBClientAsync, step: CreateBucket | SetRetention | MapDatabase | IssueToken
    ) -> None:
        org_id = await buckets.organization_id(client, self.organization)
        match step:
            case CreateBucket(bucket):
                await buckets.create_bucket(client, org_id, bucket)
            case SetRetention(bucket):
                ids = await self.bucket_ids(client, [bucket.name])
                await buckets.set_retention(client, ids[bucket.name], bucket.retention_seconds)
            case MapDatabase(bucket_name, obsolete):
                for mapping_id in obsolete:
                    await databases.delete_mapping(client, org_id, mapping_id)
                ids = await self.bucket_ids(client, [bucket_name])
                await databases.map_database(client, org_id, bucket_name, ids[bucket_name])
            case IssueToken():
                await self.issue(client, org_id, step)

    async def bucket_ids(self, client: InfluxDBClientAsync, names: Collection[str]) -> dict[str, str]:
        found = {bucket.name: str(bucket.id) for bucket in await buckets.existing(client, self.organization, names)}
        missing = set(names) - set(found)
        if missing:
            raise Refused(f"The bucket {', '.join(missing)} has just been deleted: say apply again.")
        return found

    async def issue(self, client: InfluxDBClientAsync, org_id: str, step: IssueToken) -> None:
        ids = await self.bucket_ids(client, {grant.bucket for grant in step.token.grants})
        authorization = await authorizations.create_authorization(client, org_id, step.token, ids)
        try:
            self.folder.write(step.token.name, authorization.token, step.token.group)
        except OSError as error:
            # Its text would be lost with this process: a token nobody has must not stay alive.
            await authorizations.delete_authorization(client, authorization.id)
            file = self.folder.file(step.token.name)
            raise Refused(f"Can't write {file} ({error.strerror}): free the disk or choose --tokens-dir.") from None
        for authorization_id in step.obsolete:
            await authorizations.delete_authorization(client, authorization_id)
