"""docker-compose.yml as the real Docker Compose understands it; it needs no engine for that."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from tools.docker_compose import COMPOSE

ROOT = Path(__file__).parents[2]
SECRETS_DIR = "/run/secrets/pulso"
ALL_PROFILES = ("demo", "mqtt")


class Mount(msgspec.Struct, frozen=True):
    type: str
    target: str
    source: str = ""
    read_only: bool = False


class Port(msgspec.Struct, frozen=True):
    published: str
    target: int
    host_ip: str = ""


class Dependency(msgspec.Struct, frozen=True):
    condition: str


class HealthCheck(msgspec.Struct, frozen=True):
    test: list[str]
    interval: str
    timeout: str
    start_period: str


class Logging(msgspec.Struct, frozen=True):
    driver: str
    options: dict[str, str]


class Build(msgspec.Struct, frozen=True):
    context: str
    dockerfile: str


class Service(msgspec.Struct, frozen=True):
    image: str
    restart: str = ""
    user: str = ""
    group_add: list[str] = []
    profiles: list[str] = []
    build: Build | None = None
    pull_policy: str = ""
    entrypoint: list[str] | None = None
    command: list[str] | None = None
    environment: dict[str, str] = {}
    depends_on: dict[str, Dependency] = {}
    healthcheck: HealthCheck | None = None
    ports: list[Port] = []
    volumes: list[Mount] = []
    tmpfs: list[str] = []
    logging: Logging | None = None
    mem_limit: str = ""
    read_only: bool = False
    privileged: bool = False
    cap_add: list[str] = []
    cap_drop: list[str] = []
    security_opt: list[str] = []
    network_mode: str = ""
    pid: str = ""
    ipc: str = ""
    stop_signal: str = "SIGTERM"
    stop_grace_period: str = "10s"

    @property
    def one_shot(self) -> bool:
        return self.restart == "no"

    @property
    def uid(self) -> int:
        return int(self.user.split(":")[0])

    @property
    def gid(self) -> int:
        return int(self.user.split(":")[1])

    @property
    def groups(self) -> list[int]:
        return [int(group) for group in self.group_add]

    def arguments(self, program: str) -> list[str]:
        """What follows ``python -m PROGRAM`` in its command line."""
        line = [*(self.entrypoint or []), *(self.command or [])]
        assert line[:3] == ["python", "-m", program], line
        return line[3:]


class Volume(msgspec.Struct, frozen=True):
    name: str
    external: bool = False


class Project(msgspec.Struct, frozen=True):
    name: str
    services: dict[str, Service]
    volumes: dict[str, Volume]


def compose(*arguments: str, variables: Mapping[str, str] | None = None) -> str:
    """What `docker compose ARGUMENTS` prints, with no environment file and no variables but these."""
    path = COMPOSE.find()
    assert path is not None, f"no docker-compose {COMPOSE.version()}: run `make tools`"
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | dict(variables or {})
    command = [str(path), "--env-file", os.devnull, *arguments]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, ""), f"{' '.join(command)}: {ended}"
    return ended.stdout


def project(profiles: Sequence[str] = ALL_PROFILES, variables: Mapping[str, str] | None = None) -> Project:
    """What it makes of the file with these profiles."""
    chosen = [f"--profile={profile}" for profile in profiles]
    return msgspec.json.decode(compose(*chosen, "config", "--format", "json", variables=variables), type=Project)
