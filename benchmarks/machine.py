"""What speed figures depend on: the machine, its programs, and what its host took away meanwhile."""

import os
import platform
import time

import psutil

from tools.influx_server import INFLUXD
from tools.telegraf_program import telegraf


def machine() -> str:
    """The loop says how fast this machine is just now."""
    started = time.perf_counter()
    for _ in range(10_000_000):
        pass
    loop_seconds = time.perf_counter() - started
    programs = f"Python {platform.python_version()}, InfluxDB {INFLUXD.version()}, Telegraf {telegraf().version()}"
    return f"{os.cpu_count()} cores, {programs}, 10 M empty loops in {loop_seconds:.2f} s"


class StolenTime:
    """A virtual machine whose host is busy measures its host."""

    def __init__(self) -> None:
        self._before = psutil.cpu_times()

    def share(self) -> float:
        """Of all CPU time since the start."""
        after = psutil.cpu_times()
        stolen = float(getattr(after, "steal", 0.0) - getattr(self._before, "steal", 0.0))
        return stolen / (sum(after) - sum(self._before))
