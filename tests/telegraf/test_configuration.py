"""The configurations by themselves: the real Telegraf takes them, and start.sh says what is missing."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.telegraf.agent import environment
from tools.telegraf_program import CONFIGURATIONS, FOLDER


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_telegraf_has_every_plugin_and_knows_every_option(name: str, tmp_path: Path) -> None:
    (tmp_path / "telegraf").write_text("token")
    command = ["telegraf", "--strict-env-handling", "config", "check", "--config", str(FOLDER / name)]
    variables = environment(tmp_path) | {"PULSO_TELEGRAF_SECRETS": str(tmp_path)}
    result = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "deprecated" not in result.stderr.lower()


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_no_token_stands_in_a_configuration(name: str) -> None:
    lines = [line.strip() for line in (FOLDER / name).read_text().splitlines()]
    tokens = [line for line in lines if line.startswith(("token", "password", "username"))]
    assert set(tokens) <= {'token = "@{tokens:telegraf}"', 'token = "${PULSO_INGEST_TOKEN:-}"'}, tokens


def test_without_its_token_telegraf_does_not_start_and_says_how_to_make_one(tmp_path: Path) -> None:
    missing = tmp_path / "none.token"
    variables = environment(tmp_path) | {"PULSO_TELEGRAF_TOKEN_FILE": str(missing)}
    result = subprocess.run([FOLDER / "start.sh"], env=variables, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr == (
        f"telegraf: cannot read the token in {missing}: make it with `python -m influx apply`,"
        " or name its file with PULSO_TELEGRAF_TOKEN_FILE\n"
    )


def test_without_the_token_for_ingest_that_it_is_to_have_telegraf_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "telegraf.token").write_text("token")
    variables = environment(tmp_path) | {
        "PULSO_TELEGRAF_TOKEN_FILE": str(tmp_path / "telegraf.token"),
        "PULSO_INGEST_TOKEN_FILE": str(tmp_path / "none.token"),
    }
    result = subprocess.run([FOLDER / "start.sh"], env=variables, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (
        1,
        f"telegraf: cannot read the token for ingest in {tmp_path}/none.token\n",
    )


def test_a_configuration_that_is_not_there_is_said_in_one_sentence(tmp_path: Path) -> None:
    result = subprocess.run(
        [FOLDER / "start.sh", "mqqt.conf"], env=environment(tmp_path), capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (1, f"telegraf: there is no {FOLDER}/mqqt.conf\n")


def test_every_variable_is_documented_with_its_default() -> None:
    texts = "\n".join((FOLDER / name).read_text() for name in (*CONFIGURATIONS, "start.sh"))
    used = dict(re.findall(r"\$\{(PULSO_\w+):-([^}]*)\}", texts))
    # Set by start.sh itself, from PULSO_TELEGRAF_TOKEN_FILE and PULSO_INGEST_TOKEN_FILE.
    del used["PULSO_TELEGRAF_SECRETS"], used["PULSO_INGEST_TOKEN"]
    table = (FOLDER.parent / "docs" / "operations.md").read_text()
    documented = dict(re.findall(r"(?m)^\| `(PULSO_\w+)` \| `?([^`|]*?)`? \|", table))
    assert documented == used
