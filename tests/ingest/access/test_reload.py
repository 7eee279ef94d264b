"""Tokens that change while the service runs."""

import asyncio
import json
import os
import signal
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientPayloadError, ClientSession
from structlog.testing import capture_logs

from ingest.access.reload import Apply, Reload
from ingest.settings import Settings
from tests.faults.service import served
from tests.ingest.service import serving

OLD, NEW, OTHER = "old-0123456789abcdef", "new-0123456789abcdef", "other-0123456789abcdef"
SECONDS = 20.0


class TokensFile:
    """The file, and a way to have it read at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.write(f"page:read:{OLD}\nother:read:{OTHER}\n")
        self.allow(0o640)

    def write(self, text: str) -> None:
        self.path.write_text(text)

    def remove(self) -> None:
        self.path.unlink()

    def allow(self, mode: int) -> None:
        self.path.chmod(mode)


@pytest.fixture
def tokens(tmp_path: Path) -> TokensFile:
    return TokensFile(tmp_path / "tokens")


@pytest.fixture
async def client(tmp_path: Path, tokens: TokensFile) -> AsyncIterator[ClientSession]:
    async with serving(Settings(port=0, data_dir=tmp_path / "data", tokens_file=tokens.path)) as client:
        yield client


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def status(client: ClientSession, token: str) -> int:
    async with client.get("/get_data", headers=bearer(token)) as answer:
        await answer.read()
        return answer.status


async def warnings(client: ClientSession) -> list[str]:
    async with client.get("/ready", headers=bearer(OTHER)) as answer:
        return list((await answer.json())["warnings"])


async def until(client: ClientSession, token: str, expected: int) -> None:
    async with asyncio.timeout(SECONDS):
        while await status(client, token) != expected:
            await asyncio.sleep(0.05)


async def test_a_file_that_changes_is_read_again(client: ClientSession, tokens: TokensFile) -> None:
    assert (await status(client, OLD), await status(client, NEW)) == (200, 401)
    tokens.write(f"page:read:{NEW}\nother:read:{OTHER}\n")
    await until(client, NEW, 200)
    assert (await status(client, OLD), await status(client, OTHER)) == (401, 200)


@pytest.mark.parametrize("broken", ["", "# all gone\n", f"page:read:{NEW}\npage", None])
async def test_a_file_that_cannot_be_used_changes_nothing_and_is_told_of(
    client: ClientSession, tokens: TokensFile, broken: str | None
) -> None:
    with capture_logs() as logs:
        if broken is None:
            tokens.remove()
        else:
            tokens.write(broken)
        signal.raise_signal(signal.SIGHUP)
        async with asyncio.timeout(SECONDS):
            while not await warnings(client):
                await asyncio.sleep(0.05)
    [warning] = await warnings(client)
    assert warning.startswith(f"tokens_file: {tokens.path}")
    assert warning.endswith("; what was read before holds on")
    assert [(entry["event"], entry["what"]) for entry in logs] == [("reload_failed", "tokens")]
    assert NEW not in f"{logs}{warning}"
    assert (await status(client, OLD), await status(client, NEW)) == (200, 401)
    tokens.write(f"page:read:{NEW}\nother:read:{OTHER}\n")
    signal.raise_signal(signal.SIGHUP)
    await until(client, NEW, 200)
    assert not [warning for warning in await warnings(client) if "holds on" in warning]


async def test_a_live_stream_ends_with_its_token_and_the_others_go_on(
    client: ClientSession, tokens: TokensFile
) -> None:
    async with (
        client.get("/events/stream", headers=bearer(OLD)) as revoked,
        client.get("/events/stream", headers=bearer(OTHER)) as kept,
    ):
        await revoked.content.readuntil(b"\n\n")
        tokens.write(f"page:read:{NEW}\nother:read:{OTHER}\n")
        async with asyncio.timeout(SECONDS):
            with pytest.raises((ClientPayloadError, ConnectionError)):
                await revoked.content.read()
        assert not kept.content.is_eof()
        assert kept.content.exception() is None


async def test_a_stream_that_is_looked_at_again_is_no_use_of_its_token(
    client: ClientSession, tokens: TokensFile
) -> None:
    async def last_used() -> str:
        async with client.get("/metrics", headers=bearer(OTHER)) as answer:
            (line,) = [line for line in (await answer.text()).splitlines() if 'seconds{client="page"}' in line]
            return line

    async with client.get("/events/stream", headers=bearer(OLD)) as kept:
        await kept.content.readuntil(b"\n\n")
        before = await last_used()
        tokens.write(f"page:read:{OLD}\nother:read:{OTHER}\nthird:read:{NEW}\n")
        await until(client, NEW, 200)
        assert await last_used() == before
        assert not kept.content.is_eof()


async def test_a_right_that_was_taken_ends_a_live_stream_too(client: ClientSession, tokens: TokensFile) -> None:
    async with client.get("/events/stream", headers=bearer(OLD)) as revoked:
        await revoked.content.readuntil(b"\n\n")
        tokens.write(f"page:write:{OLD}\n")
        async with asyncio.timeout(SECONDS):
            with pytest.raises((ClientPayloadError, ConnectionError)):
                await revoked.content.read()


async def test_a_file_that_all_may_read_is_warned_of(client: ClientSession, tokens: TokensFile) -> None:
    assert await warnings(client) == []
    tokens.allow(0o644)
    assert await warnings(client) == [f"tokens_file: every user of this machine may read {tokens.path}"]


class Failing:
    """A part that cannot be read again for a reason that nobody thought of."""

    name, files = "tokens", ()

    def __init__(self) -> None:
        self.fails = True

    def read(self) -> Apply:
        if self.fails:
            raise FileNotFoundError("gone between two looks")
        return dict


async def test_no_error_in_reading_again_ends_the_watch() -> None:
    part = Failing()
    reload = Reload([part])
    with capture_logs() as logs:
        async with reload.watching(), asyncio.timeout(SECONDS):
            while not reload.warnings():
                await asyncio.sleep(0.01)
                signal.raise_signal(signal.SIGHUP)
            assert reload.warnings() == [
                "tokens: cannot be read again (FileNotFoundError); what was read before holds on"
            ]
            part.fails = False
            while reload.warnings():
                await asyncio.sleep(0.01)
                signal.raise_signal(signal.SIGHUP)
    assert {entry["event"] for entry in logs} == {"reload_failed", "reloaded"}


def test_sighup_reads_again_and_the_log_names_the_tokens_and_never_shows_one(
    tmp_path: Path, tokens: TokensFile
) -> None:
    with served(tmp_path / "data", "--tokens-file", str(tokens.path), INGEST_TOKENS=f"me:all:{NEW}") as service:
        tokens.write(f"page:write:{OLD}\n")
        os.kill(service.pid, signal.SIGHUP)
        request = urllib.request.Request(service.url + "/get_data", headers=bearer(NEW))
        while not [entry for entry in service.log if entry.get("event") == "reloaded"]:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:
                assert answer.status == 200
        assert service.stop(signal.SIGTERM) == 0
    told = [entry["tokens"] for entry in service.log if "tokens" in entry]
    assert told[0] == ["me:all", "page:read", "other:read"]
    assert told[1] == ["me:all", "page:write"]
    assert not [token for token in (OLD, NEW, OTHER) if token in json.dumps(service.log)]
