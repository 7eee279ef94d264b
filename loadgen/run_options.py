"""``loadgen run`` on the command line: its options, its help, and the plan they make."""

import time
from argparse import SUPPRESS, ArgumentParser, Namespace
from pathlib import Path

from loadgen import arguments
from loadgen.access import add_access
from loadgen.conditions import Condition
from loadgen.encode import FORMATS
from loadgen.plan import Plan
from loadgen.sensor_options import add_sensors, profile_table

RATE, DURATION_SECONDS = 1000.0, 60.0

RUN = """\
Send events at a planned rate, however fast the server answers. An event that has to wait for a free connection still
counts its latency from its planned time, so a slow server can't hide behind a patient client. No request is sent twice.
Latencies are those of answered requests, and include up to 1 ms of the sender's own clock grain.
"""

RUN_MORE = f"""\
{profile_table()}

examples:
  loadgen run --profile farm --duration forever --quiet      simulated sensors, until Ctrl-C
  loadgen run --rate 20000 --batch 100 --format ndjson       20 000 events/s in 200 requests/s
  loadgen run --ramp 0:50000:60s --batch 100                 from nothing to 50 000 events/s within a minute
  loadgen run --steps 1000,2000,4000:30s --steps 500:1m      30 s at each of three rates, then a minute at 500
  loadgen run --rate 400000 --batch 1000 --processes 2       more than one core can send
  loadgen run --rate 0 --events 1000000 --batch 1000         how fast will it go?
  loadgen run --fail-if 'p99>50ms' --fail-if 'errors>0'      for CI: exit code 3 if one of them holds
  loadgen run --seed 7 --results run.jsonl                   keep what verify needs

conditions of --fail-if, with > >= < or <=; counts as a number or as a share of all, like failed>0.1%:
  p50 p90 p99 p99.9 max     latency of answered requests: p99>50ms, max>=1.5s; holds if nothing was answered
  errors                    events not acked: failed, rejected or unsent
  failed                    events answered with an error, or not at all
  rejected                  events the service refused
  unsent                    events given up for want of a free connection
  late                      events sent over 10 ms after plan
  rate                      events acked a second: rate<990

exit codes: 0 all events acked, no condition holds; 1 some were not acked, and no condition is about that, or a process
of loadgen died; 2 the command line is wrong or nobody answers at --url; 3 a --fail-if holds; 130 interrupted twice.
The first Ctrl-C stops sending, waits up to 2 s for answers and still prints the summary.
"""


class BadOptionsError(ValueError):
    """Options that don't go together; the text says what would work."""


def add_run(command: ArgumentParser) -> None:
    add = command.add_argument
    add("--url", type=arguments.url, default=arguments.DEFAULT_URL, help="the ingest service")
    add_access(command)
    _add_pace(command)
    add_sensors(command, sensors=1000)
    add(
        "--batch",
        type=arguments.positive,
        default=1,
        help="events in a request; it leaves when its last event has happened. Of more than 1000 refused ones in a "
        "request the service names 1000, and all of that request count as failed",
    )
    add("--format", choices=FORMATS, default="json", help="json, ndjson, or lp for InfluxDB line protocol")
    add("--gzip", action="store_true", help="compress requests: an eighth of the bytes, made before they are due")
    add("--connections", type=arguments.positive, default=100, help="most connections open at a time, by all processes")
    add(
        "--processes",
        type=arguments.positive,
        default=1,
        help="share the run out to so many processes, each with sensors of its own, where one core is not enough",
    )
    add(
        "--timeout",
        type=arguments.timeout_seconds,
        default="30s",
        help="longest wait for an answer, and for a free connection before an event is given up unsent",
    )
    _add_reporting(command)


def _add_pace(command: ArgumentParser) -> None:
    add = command.add_argument
    add(
        "--rate",
        type=arguments.rate,
        default=SUPPRESS,
        help="events a second; 0 = as fast as the connections go, each waiting for its answer (a closed loop: "
        f"latency is then counted from sending) (default: {RATE:g})",
    )
    add(
        "--duration",
        type=arguments.limit_seconds,
        default=SUPPRESS,
        help=f"how long to send, like 500ms, 60s, 5m, 1h; 0 or forever = until Ctrl-C (default: {DURATION_SECONDS:g}s)",
    )
    add(
        "--ramp",
        type=arguments.ramp,
        action="extend",
        dest="stages",
        metavar="FROM:TO:TIME",
        help="instead of --rate and --duration: go evenly from one rate to another, like 0:50000:60s. Several --ramp "
        "and --steps follow one another",
    )
    add(
        "--steps",
        type=arguments.steps,
        action="extend",
        dest="stages",
        metavar="RATE,…:TIME",
        help="hold each of these rates for so long, like 1000,5000,20000:30s",
    )
    add("--events", type=arguments.positive, help="stop after so many events, if the time is not over before")


def _add_reporting(command: ArgumentParser) -> None:
    add = command.add_argument
    add(
        "--fail-if",
        type=Condition.parse,
        action="append",
        default=[],
        metavar="CONDITION",
        help="exit with 3 if this holds at the end, like 'p99>50ms'; may be given several times",
    )
    add("--results", type=Path, metavar="FILE", help="write the results here as JSON lines, for verify and report")
    add("--quiet", action="store_true", help="no progress, only the summary")
    add(
        "--heartbeat",
        type=Path,
        metavar="FILE",
        help="touch this file every second in which an event was acked, for a health check of a run without an end",
    )


def plan_of(options: Namespace) -> Plan:
    """The plan that the options make, starting now. Raises BadOptionsError."""
    _check(options)
    given = vars(options)
    return Plan(
        url=options.url,
        format=options.format,
        gzip=options.gzip,
        rate=given.get("rate", RATE),
        stages=tuple(options.stages or ()),
        sensors=options.sensors,
        profile=options.profile,
        batch=options.batch,
        seed=options.seed,
        start_ms=time.time_ns() // 1_000_000,
        duration_seconds=None if options.stages else given.get("duration", DURATION_SECONDS),
        events=options.events,
        connections=options.connections,
        timeout_seconds=options.timeout,
        processes=options.processes,
    )


def _check(options: Namespace) -> None:
    if options.stages and ("rate" in options or "duration" in options):
        raise BadOptionsError(
            "--ramp and --steps say themselves how fast and how long; leave --rate and --duration away, "
            "or write them as --steps RATE:TIME"
        )
    if options.stages and not any(stage.start_rate or stage.stop_rate for stage in options.stages):
        raise BadOptionsError("at a rate of 0 throughout nothing would be sent; write for example --ramp 0:1000:60s")
    for name in ("sensors", "connections"):
        if getattr(options, name) < options.processes:
            raise BadOptionsError(
                f"{options.processes} processes need at least as many {name}; give --{name} {options.processes} or more"
            )
