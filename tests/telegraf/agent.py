"""Telegraf as telegraf/start.sh starts it."""

import os
import subprocess
from pathlib import Path

from tools.answering import wait_until_answering
from tools.influx_server import free_port
from tools.telegraf_program import FOLDER, telegraf

_START_SECONDS = 20.0
_STOP_SECONDS = 20.0


class Agent:
    """A Telegraf of our own on one of the project's configurations; ``variables`` are its environment's."""

    def __init__(self, configuration: str, folder: Path, **variables: str) -> None:
        self._command = [str(FOLDER / "start.sh"), configuration]
        self._health = f"http://127.0.0.1:{free_port()}"
        self._environment = environment(folder) | {"PULSO_TELEGRAF_HEALTH": self._health} | variables
        self._log = folder / f"{configuration}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return when its health check answers."""
        with self._log.open("ab") as log:
            process = subprocess.Popen(self._command, env=self._environment, stdout=log, stderr=log)
        self._process = process
        assert wait_until_answering(self._health, _START_SECONDS, lambda: process.poll() is None), self.log()

    def stop(self) -> None:
        """As `docker stop` does."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_STOP_SECONDS)
            self._process = None

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def log(self) -> str:
        return self._log.read_text(errors="replace")


def environment(folder: Path) -> dict[str, str]:
    """An environment whose PATH has the Telegraf that was built first, under its plain name."""
    program = telegraf().find()
    assert program is not None, f"no telegraf {telegraf().version()}: run `make tools`"
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    link = programs / "telegraf"
    if not link.is_symlink():
        link.symlink_to(program)
    others = {name: value for name, value in os.environ.items() if not name.startswith(("PULSO_", "HOST_"))}
    return others | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "TMPDIR": str(folder)}
