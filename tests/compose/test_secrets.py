"""The secrets of docker-compose.yml: its own commands make them, and its own users try to read them."""

import asyncio
import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import ClientSession

import credentials.__main__
import influx.__main__
from credentials.declared import CREDENTIALS, INGEST_TOKENS, USER
from influx.connection import Access
from influx.declared import pulso
from influx.onboarding import is_fresh
from ingest.config import load
from tests.compose.project import ROOT, SECRETS_DIR, Project, Service, project
from tests.ingest.service import serving
from tests.other_user import other_user
from tools.influx_server import InfluxServer, call, fresh_server

READ_BY: dict[str, set[str]] = {
    "influxdb": {"admin.password", "admin.token"},
    "ingest": {"ingest.token", "ingest-read.token", "ingest.tokens"},
    "grafana": {"grafana-admin.password", "grafana-secret.key", "grafana.token"},
    # One user runs both: what one may read the other may.
    "telegraf": {"telegraf.token", "telegraf-read.token", "telegraf-write.token"},
    "telegraf-mqtt": {"telegraf.token", "telegraf-read.token", "telegraf-write.token"},
    "generator": {"generator.token"},
    "demo": {"generator.token"},
    "mosquitto": set(),
}


@dataclass
class Stack:
    """The volume of secrets and an InfluxDB, which the services' commands work on as the services' users."""

    project: Project
    server: InfluxServer
    volume: Path
    said: io.StringIO = field(default_factory=io.StringIO)

    def here(self, text: str) -> str:
        return text.replace(SECRETS_DIR, str(self.volume)).replace("http://influxdb:8086", self.server.url)

    def variables(self, service: str) -> dict[str, str]:
        return {name: self.here(value) for name, value in self.project.services[service].environment.items()}

    def start(self) -> None:
        """In the order of `docker compose up`."""
        # Clients import parts of themselves when they are first used; only this user may be able to read them.
        asyncio.run(is_fresh(Access(self.server.url)))
        self.make_secrets()
        self.initialize_influxdb()
        self.apply()

    def make_secrets(self) -> None:
        service = self.project.services["secrets"]
        arguments = [self.here(word) for word in service.arguments("credentials")]
        with as_user(service), self.listening():
            assert credentials.__main__.main(arguments) == 0, self.said.getvalue()

    def initialize_influxdb(self) -> None:
        """What the image's entry point does with its variables."""
        given = self.variables("influxdb")
        with as_user(self.project.services["influxdb"]):
            password = Path(given["DOCKER_INFLUXDB_INIT_PASSWORD_FILE"]).read_text()
            token = Path(given["DOCKER_INFLUXDB_INIT_ADMIN_TOKEN_FILE"]).read_text()
        setup = {
            "username": given["DOCKER_INFLUXDB_INIT_USERNAME"],
            "password": password,
            "org": given["DOCKER_INFLUXDB_INIT_ORG"],
            "bucket": given["DOCKER_INFLUXDB_INIT_BUCKET"],
            "retentionPeriodSeconds": int(given["DOCKER_INFLUXDB_INIT_RETENTION"].removesuffix("s")),
            "token": token,
        }
        call(self.server, "POST", "/api/v2/setup", setup)

    def apply(self) -> None:
        service = self.project.services["apply"]
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.variables("apply").items():
                patch.setenv(name, value)
            with as_user(service), self.listening():
                assert influx.__main__.main(service.arguments("influx")) == 0, self.said.getvalue()

    @contextmanager
    def listening(self) -> Iterator[None]:
        with redirect_stdout(self.said), redirect_stderr(self.said):
            yield

    def files(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in self.volume.iterdir()}

    def read_by(self, service: str) -> set[str]:
        names = self.files()
        with as_user(self.project.services[service]):
            return {name for name in names if may_read(self.volume / name)}


def as_user(service: Service) -> AbstractContextManager[None]:
    return other_user(service.uid, service.gid, service.groups)


def may_read(path: Path) -> bool:
    try:
        path.read_text()
    except PermissionError:
        return False
    return True


def test_as_root_of_a_user_namespace() -> None:
    """All the others, for who is not root: only root can become the services' users. Root runs them as they are."""
    inside = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__]
    command = ["unshare", "--user", "--map-auto", "--map-root-user", "--", *inside]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    how = (
        "this needs Debian's package uidmap and a range of ids in /etc/subuid and /etc/subgid, or root: sudo make test"
    )
    assert ended.returncode == 0, f"{how}\n{ended.stdout}{ended.stderr}"


@pytest.fixture(scope="module")
def stack(whole: Project) -> Iterator[Stack]:
    with started(whole) as stack:
        yield stack


@contextmanager
def started(whole: Project) -> Iterator[Stack]:
    # Not below pytest's own folder, which only root may enter.
    folder = Path(tempfile.mkdtemp(prefix="pulso-secrets-"))
    folder.chmod(0o755)
    volume = folder / "volume"
    volume.mkdir()
    volume.chmod(0o711)  # as the Dockerfile makes it, and Docker then the volume
    os.chown(volume, whole.services["secrets"].uid, whole.services["secrets"].gid)
    try:
        with fresh_server() as server:
            stack = Stack(whole, server, volume)
            stack.start()
            yield stack
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("service", READ_BY)
def test_each_service_reads_its_own_secrets_and_no_other(stack: Stack, service: str) -> None:
    assert stack.read_by(service) == READ_BY[service]


def test_every_service_was_asked(whole: Project) -> None:
    assert set(READ_BY) == {name for name, service in whole.services.items() if not service.one_shot}
    assert set().union(*READ_BY.values()) == {
        *(credential.file for credential in CREDENTIALS if credential.service != USER),
        INGEST_TOKENS,
        *(f"{token.name}.token" for token in pulso().tokens),
    }


@pytest.mark.parametrize("service", ["influxdb", "ingest", "grafana", "telegraf"])
def test_who_reads_can_not_write_nor_list(stack: Stack, service: str) -> None:
    own = [stack.volume / name for name in READ_BY[service]]
    with as_user(stack.project.services[service]):
        assert not [path for path in own if os.access(path, os.W_OK, effective_ids=True)]
        with pytest.raises(PermissionError):
            list(stack.volume.iterdir())
        with pytest.raises(PermissionError):
            (stack.volume / "new").touch()


def test_a_variable_that_names_a_secret_is_of_a_service_that_may_read_it(stack: Stack) -> None:
    for name, own in READ_BY.items():
        named = {
            Path(value).name
            for value in stack.project.services[name].environment.values()
            if f"{SECRETS_DIR}/" in value
        }
        assert named <= own, name


def test_no_secret_is_told(stack: Stack) -> None:
    said = stack.said.getvalue()
    assert "made admin.password" in said
    assert "token grafana: created" in said
    assert not [name for name, text in stack.files().items() if text in said], said


def test_a_second_start_changes_nothing(stack: Stack) -> None:
    before = stack.files()
    stack.make_secrets()
    stack.apply()
    assert stack.files() == before
    assert stack.said.getvalue().endswith("0 changed, 12 unchanged.\n"), stack.said.getvalue()


def test_a_retention_can_be_set_from_the_start() -> None:
    with started(project(variables={"PULSO_RETENTION_SECONDS": "2592000"})) as stack:
        assert "bucket pulso: unchanged" in stack.said.getvalue().splitlines()


def test_an_influxdb_that_was_stopped_before_it_was_set_up_is_set_up_by_apply(
    whole: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stack, "initialize_influxdb", lambda _: None)
    with started(whole) as stack:
        assert "server: set up, operator token in admin.token" in stack.said.getvalue().splitlines()
        assert stack.read_by("influxdb") == READ_BY["influxdb"]


async def test_ingest_works_with_what_it_is_given(stack: Stack) -> None:
    ingest = stack.project.services["ingest"]
    data = stack.volume.parent / "data"
    data.mkdir()
    os.chown(data, ingest.uid, ingest.gid)
    variables = stack.variables("ingest") | {"INGEST_DATA_DIR": str(data), "INGEST_PORT": "0"}
    event = {"timestamp": 1539112021301, "tag": "brasil.sudeste.sensor01", "valor": "23.5"}
    with as_user(ingest):
        async with serving(load({}, variables)) as client:
            async with client.post("/events", json=event) as answer:
                assert answer.status == 202, await answer.text()
            kept = {"status": "processado", **event}
            async with asyncio.timeout(20):
                while await read(client) != [kept]:
                    await asyncio.sleep(0.05)


async def test_without_anonymous_clients_each_service_comes_in_with_its_own_token(stack: Stack) -> None:
    ingest = stack.project.services["ingest"]
    data = stack.volume.parent / "closed"
    data.mkdir()
    os.chown(data, ingest.uid, ingest.gid)
    chosen = project(variables={"PULSO_ALLOW_ANONYMOUS": "false"}).services["ingest"].environment
    variables = {name: stack.here(value) for name, value in chosen.items()}
    variables |= {"INGEST_DATA_DIR": str(data), "INGEST_PORT": "0", "INGEST_ARCHIVE_DIR": ""}
    with as_user(ingest):
        settings = load({}, variables)
    async with serving(settings) as client:
        for service, path, status in (
            ("generator", "/write", 204),
            ("demo", "/write", 204),
            ("telegraf-mqtt", "/write", 204),
            ("telegraf", "/metrics", 200),
            ("telegraf", "/write", 403),
            ("generator", "/get_data", 403),
            (None, "/write", 401),
            (None, "/metrics", 401),
            (None, "/health", 200),
        ):
            headers = {"Authorization": f"Token {own_token(stack, service)}"} if service else {}
            method = "POST" if path == "/write" else "GET"
            async with client.request(
                method, path, headers=headers, data="cpu value=1" if method == "POST" else None
            ) as answer:
                assert answer.status == status, (service, path, await answer.text())


def own_token(stack: Stack, name: str) -> str:
    """What the service reads as its own user, from the file that its variable or its command names."""
    service = stack.project.services[name]
    named = [*service.environment.values(), *(word.partition("=")[2] for word in service.command or [])]
    known = {f"{SECRETS_DIR}/{credential.file}" for credential in CREDENTIALS if credential.right}
    [file] = [text for text in named if text in known]
    with as_user(service):
        return Path(stack.here(file)).read_text()


async def test_a_range_can_be_counted_again_with_what_ingest_is_given(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in stack.variables("ingest").items():
        monkeypatch.setenv(name, value)
    with as_user(stack.project.services["ingest"]):
        command = ["rollup", "--start", "2018-10-09", "--stop", "2018-10-10"]
        assert await asyncio.to_thread(influx.__main__.main, command) == 0


async def read(client: ClientSession) -> list[dict[str, object]]:
    async with client.get("/get_data", params={"stop": "2019-01-01"}) as answer:
        return list((await answer.json())["events"])
