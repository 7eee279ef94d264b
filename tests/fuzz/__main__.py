"""``make fuzz``: a million inputs, and what came of them. Exits with 1 if anything is not as it should be."""

import argparse
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from tests.faults.service import Service, influx_options, served
from tests.fuzz.described import hold
from tests.fuzz.parsers import fuzz_parsers
from tests.fuzz.run import Outcome, fuzz
from tools import influx_server as influx

_EXAMPLES = 200
_MOST_GROWTH_BYTES = 32 * 2**20
_SHOWN = 5


def main() -> int:
    options = _options()
    seed = options.seed if options.seed is not None else Random(time.time_ns()).randrange(10**6)
    print(f"seed {seed}", flush=True)
    slowest = fuzz_parsers(options.inputs, seed)
    print(f"parsers   {options.inputs:>9,} inputs; the slowest took {slowest * 1000:.0f} ms of CPU", flush=True)
    token, bad = secrets.token_hex(16), 0
    for store in ("embedded", "influx"):
        with _service(store, token) as service, tempfile.TemporaryDirectory() as folder:
            asked = hold(service.url, Path(folder), examples=_EXAMPLES, seed=seed, token=token)
            print(f"{store:9} {asked:>9,} requests of Schemathesis, every answer as openapi.yaml says", flush=True)
            outcome = fuzz(service, token, options.inputs // 2, seed)
            print(_text(store, outcome), flush=True)
            bad += len(outcome.bad) + (outcome.growth > _MOST_GROWTH_BYTES) + (not service.is_alive)
    return 1 if bad else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument(
        "--inputs",
        type=int,
        default=1_000_000,
        help="over HTTP, half for each store; and as many again for the parsers",
    )
    parser.add_argument("--seed", type=int, help="of an earlier run, to see the same again")
    return parser.parse_args()


@contextmanager
def _service(store: str, token: str) -> Iterator[Service]:
    variables = {"INGEST_TOKENS": f"fuzz:all:{token}"}
    with tempfile.TemporaryDirectory() as folder:
        if store == "embedded":
            with served(Path(folder), **variables) as service:
                yield service
            return
        with influx.server() as server:
            bucket = f"fuzz-{os.getpid()}"
            influx.make_bucket(server, bucket)
            influx.make_bucket(server, f"{bucket}-rollup")
            variables["INGEST_INFLUX_TOKEN"] = server.token
            with served(Path(folder), *influx_options(server, bucket), **variables) as service:
                yield service


def _text(store: str, outcome: Outcome) -> str:
    statuses = "  ".join(f"{status or 'none'}: {count:,}" for status, count in sorted(outcome.statuses.items()))
    megabytes = [size / 2**20 for size in outcome.rss]
    quarter = len(megabytes) // 4
    lines = [
        f"{store:9} {outcome.inputs:>9,} requests in {outcome.seconds:.0f} s; {len(outcome.bad)} bad, "
        f"the slowest took {outcome.slowest_seconds * 1000:.0f} ms, {outcome.logged} lines of the log",
        f"          answers  {statuses}",
        f"          memory   {megabytes[0]:.0f} MB at the start, {megabytes[quarter]:.0f} after a quarter, "
        f"{megabytes[2 * quarter]:.0f} after a half, {megabytes[-1]:.0f} at the end",
    ]
    return "\n".join([*lines, *(f"          {bad[:500]}" for bad in outcome.bad[:_SHOWN])])


if __name__ == "__main__":
    sys.exit(main())
