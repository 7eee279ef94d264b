"""``loadgen backfill`` on the command line: its options, its help, and the plan they make."""

import time
from argparse import ArgumentParser, Namespace
from pathlib import Path

from loadgen import arguments
from loadgen.backfill import SECONDS_PER_DAY
from loadgen.delivery.options import add_service
from loadgen.plan import Plan
from loadgen.sensor_options import add_sensors, profile_table
from loadgen.sensors.profiles import CITY

BACKFILL = """\
Give the dashboards a past: what the sensors would have sent in the days before now, oldest first, as fast as the
service takes it. What fails is sent again until it is acked; a service that is full or away is waited for.
The same seed and the same end make the same events, and an event is stored once however often it is sent. So a
backfill that was interrupted is completed by the command that it prints, and to run it twice changes nothing.
"""

BACKFILL_MORE = f"""\
{profile_table()}

examples:
  loadgen backfill --days 7                                  1000 sensors, once in 5 minutes each
  loadgen backfill --days 365 --interval 1h --sensors 100    a year, at little cost
  loadgen backfill --days 1 --results past.jsonl && loadgen verify --results past.jsonl
  loadgen backfill --days 7 && loadgen run --profile city --duration forever     the same sensors go on

exit codes: 0 all events acked; 1 some were rejected, or the service refused them or was away for too long; 2 the
command line is wrong or nobody listens at --url; 130 interrupted.
"""

MOST_BATCH = 1000


def add_backfill(command: ArgumentParser) -> None:
    add = command.add_argument
    add("--days", type=arguments.days, default="7", help="how many days back")
    add("--until", type=arguments.time_ms, metavar="TIME", help="where it ends: ISO 8601 or Unix ms; now if not given")
    add("--interval", type=arguments.interval_seconds, default="5m", help="time between two events of a sensor")
    add_sensors(command, sensors=1000, profile=CITY.name)
    add("--batch", type=arguments.listed, default=MOST_BATCH, help=f"events in a request, at most {MOST_BATCH}")
    add("--results", type=Path, metavar="FILE", help="write the results here as JSON lines, for verify")
    add_service(command)


def plan_of(options: Namespace) -> Plan:
    duration_seconds = options.days * SECONDS_PER_DAY
    stop_ms = _now_ms() if options.until is None else options.until
    return Plan(
        url=options.url,
        format="ndjson",
        rate=options.sensors / options.interval,
        sensors=options.sensors,
        profile=options.profile,
        batch=options.batch,
        seed=options.seed,
        start_ms=stop_ms - round(duration_seconds * 1000),
        duration_seconds=duration_seconds,
        connections=options.connections,
        timeout_seconds=options.timeout,
    )


def _now_ms() -> int:
    """To the second, for it is to be typed again."""
    return int(time.time()) * 1000
