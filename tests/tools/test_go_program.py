"""How a program that is built once is found: by version, in the cache first."""

from dataclasses import replace
from pathlib import Path

import pytest

from tools.docker_compose import COMPOSE
from tools.go_program import GoProgram
from tools.influx_server import INFLUXD

PROGRAMS = pytest.mark.parametrize("wanted", [INFLUXD, COMPOSE], ids=lambda wanted: wanted.name)


@pytest.fixture
def path_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on the PATH, empty like the cache."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(path: Path, says: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)


@PROGRAMS
def test_the_cache_comes_before_the_path(wanted: GoProgram, path_folder: Path) -> None:
    assert wanted.find() is None
    program(path_folder / wanted.name, f"{wanted.name} v{wanted.version()} (git: x)")
    assert wanted.find() == path_folder / wanted.name
    program(wanted.cached(), f"{wanted.name} {wanted.version()}")
    assert wanted.find() == wanted.cached()


@pytest.mark.parametrize("says", ["v{}0", "v1{}", "v{}-rc1", "v{}.1", "something else"])
def test_another_version_does_not_count(says: str, path_folder: Path) -> None:
    program(path_folder / "influxd", "InfluxDB " + says.format(INFLUXD.version()))
    assert INFLUXD.find() is None


def test_make_tools_has_got_compose() -> None:
    assert COMPOSE.find() is not None, f"no docker-compose {COMPOSE.version()}: run `make tools`"


def test_built_with_other_arguments_it_is_another_program() -> None:
    plain, one, other = (replace(COMPOSE, arguments=arguments) for arguments in ((), ("a",), ("b",)))
    assert len({plain.cached(), one.cached(), other.cached()}) == 3
    assert one.cached().name.startswith(f"{plain.cached().name}-")


@PROGRAMS
def test_what_is_there_is_not_built_again(
    wanted: GoProgram, path_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program(wanted.cached(), wanted.version())
    assert wanted.ensure() == 0
    assert capsys.readouterr().out == f"{wanted.name}: {wanted.cached()}\n"
