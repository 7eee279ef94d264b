"""``python -m tests.faults.gigabytes``: a start with gigabytes in the spool, and what an event that comes then has to
wait for. It is watched for a minute, not to the end: to work off 3 GB takes InfluxDB ten minutes."""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tests.faults import filler
from tests.faults.faults.backlog import MOST_RESIDENT_MB, resident_mb
from tests.faults.history import History
from tests.faults.scene import Scene, influx_side, service_in
from tools.influx_server import own_influxd, set_up

_REST_SECONDS = 0.2
_MOST_FRESH_SECONDS = 10.0
_MOST_START_SECONDS = 10.0


class Measured(msgspec.Struct):
    """What was seen in the time."""

    points: int = 0
    start_seconds: float = 0.0
    fresh_seconds: list[float] = []
    """From a fresh event's going out to its being in InfluxDB."""
    resident_mb: float = 0.0
    wal_mb: float = 0.0
    shipped_points: float = 0.0

    @property
    def is_good(self) -> bool:
        return (
            self.start_seconds < _MOST_START_SECONDS
            and self.resident_mb < MOST_RESIDENT_MB
            and max(self.fresh_seconds) < _MOST_FRESH_SECONDS
        )

    def text(self) -> str:
        fresh = sorted(self.fresh_seconds)
        return (
            f"{self.points} points waited; it listened after {self.start_seconds:.1f} s\n"
            f"{len(fresh)} fresh events were in InfluxDB after {fresh[len(fresh) // 2]:.2f} s (median), "
            f"{fresh[-1]:.2f} s (longest); meanwhile {self.shipped_points:.0f} points were worked off\n"
            f"most memory {self.resident_mb:.0f} MB, most WAL {self.wal_mb:.0f} MB"
        )


async def measure(megabytes: int, seconds: float) -> Measured:
    measured = Measured()
    with own_influxd() as influxd, tempfile.TemporaryDirectory(prefix="pulso-gigabytes-") as name:
        folder = Path(name)
        measured.points = await asyncio.to_thread(filler.fill, folder, megabytes)
        async with influx_side(influxd, set_up(influxd.server)) as influx:
            service = service_in(folder, influx, ["--spool-max-bytes", str(2 * megabytes * 10**6)], {})
            scene = Scene(service, History(), time.time_ns() // 10**6, influx)
            began = time.monotonic()
            try:
                await asyncio.to_thread(service.start)
                measured.start_seconds = time.monotonic() - began
                await _watch(scene, measured, seconds)
            finally:
                await asyncio.to_thread(service.end)
    return measured


async def _watch(scene: Scene, measured: Measured, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        measured.fresh_seconds.append(await scene.live_again(within_seconds=60.0))
        measured.resident_mb = max(measured.resident_mb, resident_mb(scene.service.pid))
        wal_bytes = (scene.service.folder / "spool.db-wal").stat().st_size
        measured.wal_mb = max(measured.wal_mb, wal_bytes / 10**6)
        await asyncio.sleep(_REST_SECONDS)
    left = await asyncio.to_thread(scene.service.metric, "ingest_spool_points")
    measured.shipped_points = measured.points - left


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m tests.faults.gigabytes", description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=3.0, help="line protocol that waits")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to watch")
    options = parser.parse_args(arguments)
    measured = asyncio.run(measure(int(options.gigabytes * 1000), options.seconds))
    sys.stdout.write(measured.text() + "\n")
    return 0 if measured.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
