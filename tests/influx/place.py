"""One test's own organization on a real InfluxDB, and InfluxDB's HTTP interface without our code."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from influx.apply import apply
from influx.connection import Access
from influx.declared import Declared, pulso
from influx.steps import Step
from tools.influx_server import InfluxServer


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any


async def call(
    url: str,
    token: str,
    method: str,
    path: str,
    *,
    params: Mapping[str, str] | None = None,
    json: object = None,
    text: str | None = None,
) -> Answer:
    headers = {"Authorization": f"Token {token}"} if token else {}
    async with (
        aiohttp.ClientSession(url, headers=headers) as session,
        session.request(method, path, params=params or {}, json=json, data=text) as response,
    ):
        body = await response.json() if "json" in response.content_type else await response.text()
        return Answer(response.status, body)


@dataclass
class Place:
    server: InfluxServer
    tokens_dir: Path
    organization: str = field(default_factory=lambda: f"org-{secrets.token_hex(4)}")

    def declared(self) -> Declared:
        return pulso(self.organization)

    def access(self) -> Access:
        return Access(self.server.url, self.server.token)

    async def apply(
        self, declared: Declared | None = None, *, dry_run: bool = False, allow_shrink: bool = False
    ) -> list[Step]:
        return await apply(
            declared or self.declared(),
            self.access(),
            self.tokens_dir,
            dry_run=dry_run,
            allow_shrink=allow_shrink,
        )

    def text(self, token: str) -> str:
        return self.file(token).read_text()

    def file(self, token: str) -> Path:
        return self.tokens_dir / f"{token}.token"

    def files(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in self.tokens_dir.glob("*")}

    async def admin(self, method: str, path: str, *, json: object = None, **params: str) -> Any:
        answer = await call(self.server.url, self.server.token, method, path, json=json, params=params)
        assert answer.status < 300, f"{method} {path} {json or params}: {answer}"
        return answer.body

    async def org_id(self) -> str:
        found = await self.admin("GET", "/api/v2/orgs", org=self.organization)
        return str(found["orgs"][0]["id"])

    async def buckets(self) -> dict[str, dict[str, Any]]:
        found = await self.admin("GET", "/api/v2/buckets", org=self.organization)
        return {bucket["name"]: bucket for bucket in found["buckets"] if bucket["type"] == "user"}

    async def authorizations(self, token: str) -> list[dict[str, Any]]:
        """Those with the description of one of our tokens."""
        found = await self.admin("GET", "/api/v2/authorizations", org=self.organization)
        return [one for one in found["authorizations"] if one["description"] == f"pulso: {token}"]

    async def mappings(self, database: str) -> list[dict[str, Any]]:
        found = await self.admin("GET", "/api/v2/dbrps", orgID=await self.org_id(), db=database)
        return list(found["content"])

    async def write(self, token_text: str, bucket: str, line: str) -> Answer:
        params = {"org": self.organization, "bucket": bucket}
        return await call(self.server.url, token_text, "POST", "/api/v2/write", params=params, text=line)

    async def influxql(self, token_text: str, database: str, query: str) -> Answer:
        params = {"db": database, "q": query}
        return await call(self.server.url, token_text, "GET", "/query", params=params)
