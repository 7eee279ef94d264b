"""How an InfluxDB is found. That it then works is what every other test shows."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools import influx_server as influx


@pytest.fixture
def nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any: no variables, an empty cache, and only this folder on the PATH."""
    for name in ("INFLUXDB_URL", "INFLUXDB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(path: Path, says: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)


def test_without_any_the_message_says_what_to_do(nothing: Path) -> None:
    with pytest.raises(influx.NoInfluxError, match="make tools") as caught, influx.server():
        pass
    for way in ("PATH", "Docker", "INFLUXDB_URL"):
        assert way in str(caught.value)


def test_make_tools_says_in_one_sentence_what_is_missing(nothing: Path) -> None:
    root = Path(__file__).parents[2]
    for needed in ("sh", "dirname"):
        (nothing / needed).symlink_to(f"/bin/{needed}" if Path(f"/bin/{needed}").exists() else f"/usr/bin/{needed}")
    result = subprocess.run(
        [sys.executable, "-m", "tools"],
        cwd=root,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "not found: go cargo" in result.stderr


def test_the_environment_comes_first(nothing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFLUXDB_URL", "http://influx.example:8086")
    monkeypatch.setenv("INFLUXDB_TOKEN", "t")
    program(nothing / "influxd", f"InfluxDB v{influx.INFLUXD.version()} (git: x)")
    with influx.server() as server:
        assert (server.url, server.token) == ("http://influx.example:8086", "t")
