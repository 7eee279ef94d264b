"""Mosquitto on a free port with the project's own configuration, and messages published to it."""

import getpass
import re
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from tools.influx_server import free_port
from tools.mosquitto import MOSQUITTO
from tools.telegraf_program import FOLDER

_START_SECONDS = 10.0
_STOP_SECONDS = 10.0


class Broker:
    """A broker of our own; what it has to keep survives ``stop`` and ``start``."""

    def __init__(self, folder: Path) -> None:
        self._port = free_port()
        self._configuration = folder / "mosquitto.conf"
        self._log = folder / "mosquitto.log"
        self._process: subprocess.Popen[bytes] | None = None
        data = folder / "mosquitto"
        data.mkdir()
        self._configuration.write_text(_configuration(self._port, data))

    @property
    def url(self) -> str:
        return f"tcp://127.0.0.1:{self._port}"

    def start(self) -> None:
        program = MOSQUITTO.find("mosquitto")
        assert program is not None, "no mosquitto: run `make tools`"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([program, "-c", str(self._configuration)], stdout=log, stderr=log)
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            assert self._process.poll() is None, f"mosquitto ended: {self._log.read_text()}"
            assert time.monotonic() < deadline, f"mosquitto does not listen: {self._log.read_text()}"
            time.sleep(0.02)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_STOP_SECONDS)
            self._process = None

    def publish(self, topic: str, payloads: Sequence[str]) -> None:
        """Each payload without a newline is a message of its own, with QoS 1; return when the broker has them all."""
        self._publish(topic, "-l", "".join(payload + "\n" for payload in payloads).encode())

    def publish_bytes(self, topic: str, payload: bytes) -> None:
        """One message of any content."""
        self._publish(topic, "-s" if payload else "-n", payload)

    def _publish(self, topic: str, how: str, standard_input: bytes) -> None:
        program = MOSQUITTO.find("mosquitto_pub")
        assert program is not None, "no mosquitto_pub: run `make tools`"
        command = [program, "-h", "127.0.0.1", "-p", str(self._port), "-q", "1", "-t", topic, how]
        subprocess.run(command, input=standard_input, check=True, timeout=30)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0


def _configuration(port: int, data: Path) -> str:
    text = (FOLDER / "mosquitto.conf").read_text()
    for pattern, line in (
        (r"listener \d+", f"listener {port} 127.0.0.1"),
        (r"persistence_location .*", f"persistence_location {data}/"),
    ):
        text, places = re.subn(f"(?m)^{pattern}$", line, text)
        assert places == 1, f"{pattern} stands in mosquitto.conf {places} times"
    # It would give up root's rights, and with them the folder of this test.
    return f"{text}\nuser {getpass.getuser()}\n"
