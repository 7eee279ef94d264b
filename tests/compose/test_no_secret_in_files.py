"""No secret stands in a file of the repository that has to do with deployment."""

import subprocess

import pytest

from tests.compose.project import ROOT
from tests.compose.secret_texts import secrets_in

DEPLOYMENT = ("docker-compose.yml", "Dockerfile", ".dockerignore", "grafana", "telegraf", "docs/compose.md")


def tracked(*paths: str) -> list[str]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *paths]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()


def test_no_file_of_the_deployment_holds_a_secret() -> None:
    files = tracked(*DEPLOYMENT)
    assert {"docker-compose.yml", "Dockerfile"} <= set(files)
    found = {name: list(secrets_in((ROOT / name).read_text())) for name in files}
    assert not {name: pieces for name, pieces in found.items() if pieces}


def test_no_environment_file_and_no_secret_file_is_in_the_repository() -> None:
    names = [name.rpartition("/")[2] for name in tracked()]
    assert [
        name for name in names if name.startswith(".env") or name.endswith((".token", ".password", ".key", ".pem"))
    ] == []


@pytest.mark.parametrize(
    "text",
    [
        "GF_SECURITY_ADMIN_PASSWORD: admin",
        'DOCKER_INFLUXDB_INIT_PASSWORD="hunter2"',
        "httpHeaderValue1: Token 5fD3kQ",
        "  Authorization: Token abcdef",
        'token = "nQw3=="',
        "INGEST_INFLUX_TOKEN=abc",
        "839e7e5b4f9a475a1d196aa2aff44e2a",
        "x: zJ0w8bQm3V6c1yT9dK4pR7sE2uH5gN8aL0fX3iB6oC1vM4tY7qW2eZ5rU8kD0jPnGhSxA9Q==",
    ],
)
def test_a_secret_would_be_found(text: str) -> None:
    assert list(secrets_in(text)), text


@pytest.mark.parametrize(
    "text",
    [
        "GF_SECURITY_ADMIN_PASSWORD__FILE: /run/secrets/pulso/grafana-admin.password",
        "httpHeaderValue1: Token $__file{/run/secrets/pulso/grafana.token}",
        'token = "@{tokens:telegraf}"',
        'token = "${PULSO_TELEGRAF_TOKEN}"',
        "# secrets: random, made at first start",
        "cannot read the token in $token: make it",
        'SHOW TAG VALUES WITH KEY = "sensor"',
    ],
)
def test_where_a_secret_is_may_be_said(text: str) -> None:
    assert not list(secrets_in(text)), text
