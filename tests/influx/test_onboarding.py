"""Servers that nobody has set up, that are away, or that are something else."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import ClientSession, encode_basic_auth, web

from influx.apply import apply
from influx.connection import Access
from influx.declared import Bucket, pulso
from influx.errors import Refused, Unreachable
from influx.steps import SetUp
from tests.influx.place import call
from tools.influx_server import InfluxServer


async def test_a_fresh_server_is_set_up_and_then_left_alone(fresh_influx_server: InfluxServer, tmp_path: Path) -> None:
    url = fresh_influx_server.url
    planned = await apply(pulso(), Access(url), tmp_path / "tokens", dry_run=True)
    assert not (tmp_path / "tokens").exists()
    made = await apply(pulso(), Access(url), tmp_path / "tokens")
    assert isinstance(made[0], SetUp), made
    assert made == planned
    assert await apply(pulso(), Access(url), tmp_path / "tokens") == []
    for name in ("admin.token", "admin.password"):
        assert oct((tmp_path / "tokens" / name).stat().st_mode) == oct(0o100600), name
    await log_in(url, "admin", (tmp_path / "tokens" / "admin.password").read_text())


async def log_in(url: str, user: str, password: str) -> None:
    async with (
        ClientSession() as session,
        session.post(f"{url}/api/v2/signin", headers={"Authorization": encode_basic_auth(user, password)}) as answer,
    ):
        assert answer.status == 204, f"{user} could not log in: {answer.status} {await answer.text()}"


async def test_given_secrets_and_names_are_used(fresh_influx_server: InfluxServer, tmp_path: Path) -> None:
    url = fresh_influx_server.url
    declared = pulso("casa", events=Bucket("eventos", 3 * 86_400))
    access = Access(url, "my-operator-token", "a test", username="chefe", password="long enough")
    await apply(declared, access, tmp_path)
    assert (tmp_path / "admin.token").read_text() == "my-operator-token"
    assert not (tmp_path / "admin.password").exists()
    await log_in(url, "chefe", "long enough")
    answer = await call(url, "my-operator-token", "GET", "/api/v2/buckets", params={"name": "eventos"})
    assert answer.body["buckets"][0]["retentionRules"][0]["everySeconds"] == 3 * 86_400, answer
    with pytest.raises(Refused, match=r"set up already and there is no .*admin\.token"):
        await apply(declared, Access(url), tmp_path / "elsewhere")


async def test_a_given_token_file_keeps_its_readers(fresh_influx_server: InfluxServer, tmp_path: Path) -> None:
    (tmp_path / "admin.token").write_text("my-operator-token")
    (tmp_path / "admin.token").chmod(0o640)
    await apply(pulso(), Access(fresh_influx_server.url), tmp_path)
    assert (tmp_path / "admin.token").read_text() == "my-operator-token"
    assert oct((tmp_path / "admin.token").stat().st_mode) == oct(0o100640)


async def test_a_refused_set_up_can_be_repeated(fresh_influx_server: InfluxServer, tmp_path: Path) -> None:
    url = fresh_influx_server.url
    with pytest.raises(Refused, match="between 8 and 72 characters") as raised:
        await apply(pulso(), Access(url, password="short"), tmp_path)
    assert isinstance(raised.value.failed, SetUp)
    kept = (tmp_path / "admin.token").read_text()
    assert isinstance((await apply(pulso(), Access(url), tmp_path))[0], SetUp)
    assert (tmp_path / "admin.token").read_text() == kept


async def test_a_server_that_is_away_is_told_with_a_way_out(unused_tcp_port: int, tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match=r"No InfluxDB answers at .* --wait 30\), or set --url"):
        await apply(pulso(), Access(f"http://127.0.0.1:{unused_tcp_port}"), tmp_path)


async def test_waiting_for_a_server(unused_tcp_port: int, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{unused_tcp_port}"
    waiting = asyncio.create_task(apply(pulso(), Access(url), tmp_path, wait_seconds=10))
    await asyncio.sleep(0.4)
    assert not waiting.done(), waiting
    runner = await another_server(unused_tcp_port)
    with pytest.raises(Refused, match="not an InfluxDB 2: check --url"):
        await waiting
    await runner.cleanup()


async def test_waiting_has_an_end(unused_tcp_port: int, tmp_path: Path) -> None:
    with pytest.raises(Unreachable):
        await apply(pulso(), Access(f"http://127.0.0.1:{unused_tcp_port}"), tmp_path, wait_seconds=0.1)


async def another_server(port: int) -> web.AppRunner:
    """Some other service: it answers 404 to whatever it is asked."""
    runner = web.AppRunner(web.Application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner
