"""``loadgen backfill``: from its options to its exit code."""

import shlex
from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from rich.console import Console

from loadgen.access import BadAccessError
from loadgen.backfill import Backfill
from loadgen.backfill_options import plan_of
from loadgen.commands import INTERRUPTED, NOT_ALL, OK, fail, in_loop
from loadgen.delivery.deliver import AwayError, Ending, deliver
from loadgen.delivery.options import service
from loadgen.plan import Plan
from loadgen.results import ResultsWriter, Summary
from loadgen.standing import reporter


def backfill_command(options: Namespace) -> int:
    plan = plan_of(options)
    try:
        with ResultsWriter(options.results) as results:
            summary, ending = _carry_out(plan, results, options)
    except BadAccessError as error:
        return fail("backfill", str(error))
    except AwayError as reason:
        return fail("backfill", f"nobody answers at {plan.url}: {reason}. Start the service, or name it with --url")
    except OSError as error:
        return fail(
            "backfill",
            f"{options.results or 'the output'} can't be written: {error.strerror}. Name another --results file",
        )
    print("\n".join(_lines(summary, ending)))
    if ending.interrupted or ending.failure:
        print(f"complete it with: {again(options, plan)}")
    if ending.interrupted:
        return INTERRUPTED
    return NOT_ALL if ending.failure or summary.rejected else OK


def _carry_out(plan: Plan, results: ResultsWriter, options: Namespace) -> tuple[Summary, Ending]:
    backfill = Backfill(plan, results)
    print(_opening(plan, backfill.total), flush=True)
    ending = in_loop(deliver(backfill, service(options), reporter(Console(stderr=True), quiet=options.quiet)))
    return backfill.summary(), ending


def _opening(plan: Plan, events: int) -> str:
    seconds = plan.sensors / plan.rate
    return (
        f"{plan.sensors:,} sensors ({plan.profile}) from {_shown(plan.start_ms)} to {_shown(_stop_ms(plan))}, "
        f"an event every {seconds:g} s each: {events:,} events"
    )


def _lines(summary: Summary, ending: Ending) -> Iterator[str]:
    if ending.failure:
        yield f"given up: {ending.failure}"
    yield f"{'acked':<10}{summary.acked:,}{' (all)' if not summary.interrupted and not summary.rejected else ''}"
    if summary.rejected:
        yield f"{'rejected':<10}{summary.rejected:,}"
        yield from (f"{'':<10}{events:,} × {reason}" for reason, events in summary.rejections.items())
    if summary.failed:
        yield f"{'unknown':<10}{summary.failed:,} stopped before the answer"
    if ending.retries:
        yield f"{'repeated':<10}{ending.retries:,} requests that had failed"
    yield f"{'rate':<10}{summary.events_per_second:,.0f} events/s, {summary.seconds:.1f} s"


def again(options: Namespace, plan: Plan) -> str:
    """The command that makes the same events; what is stored already stays as it is."""
    command = ["loadgen", "backfill", "--days", _exact(options.days), "--until", _shown(_stop_ms(plan))]
    command += ["--interval", f"{_exact(options.interval)}s", "--sensors", str(plan.sensors)]
    command += ["--profile", plan.profile, "--seed", str(plan.seed), "--url", plan.url]
    for option, path in (("--token-file", options.token_file), ("--ca-file", options.ca_file)):
        command += [option, str(path)] if path else []
    return shlex.join(command)


def _exact(number: float) -> str:
    """As a person writes it, and read back as the same number: a rounded one would make other events."""
    return f"{Decimal(repr(number)):f}".removesuffix(".0")


def _stop_ms(plan: Plan) -> int:
    return plan.start_ms + round((plan.duration_seconds or 0) * 1000)


def _shown(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat().replace("+00:00", "Z")
