"""The command line: ``ingest serve``, ``ingest dead-letters``, ``ingest damaged-rows`` and ``ingest recover``."""

import argparse
import os
import sqlite3
import sys
from collections.abc import Sequence
from typing import Any

import structlog

from ingest import damaged_rows_cli, dead_letters_cli, fail_points, log, process, recover_cli
from ingest.access.unusable import Unusable
from ingest.app import running
from ingest.config import ConfigError, load
from ingest.data_folder import FolderInUse
from ingest.fail_points import Reached
from ingest.settings import Declared, Settings, declared

EXIT_FAILED = 1
EXIT_USAGE = 2

_EXAMPLES = """examples:
  ingest serve                                  keep events in ./data/events.db
  ingest serve --store influx --influx-token-file tokens/ingest.token
  ingest dead-letters list                      what InfluxDB refused, and why

An option wins over its variable, a variable over the default."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0 is a clean end, 1 a failure, 2 a wrong option or variable."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options))
    except (ConfigError, Unusable) as error:
        for line in error.errors:
            print(f"ingest: {line}", file=sys.stderr)
        return EXIT_USAGE
    except (FolderInUse, OSError, sqlite3.Error) as error:
        print(f"ingest: {error}", file=sys.stderr)
        return EXIT_FAILED


def _parser() -> argparse.ArgumentParser:
    shape = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "ingest", description="Pulso's ingest service.", epilog=_EXAMPLES, formatter_class=shape
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = commands.add_parser(
        "serve",
        help="take events and keep them",
        description="Take events and keep every one.",
        epilog=_EXAMPLES,
        formatter_class=shape,
    )
    for setting in declared():
        _add_option(serve, setting)
    serve.set_defaults(run=_serve)
    dead_letters_cli.add_parser(commands)
    damaged_rows_cli.add_parser(commands)
    recover_cli.add_parser(commands)
    return parser


def _add_option(parser: argparse.ArgumentParser, setting: Declared) -> None:
    default = "none" if setting.default in (None, "") else setting.default
    value = "|".join(setting.choices) or setting.name.rpartition("_")[2].upper()
    # A switch is on where nothing follows its name.
    switch: dict[str, Any] = {"nargs": "?", "const": "true"} if setting.type is bool else {}
    parser.add_argument(
        setting.option,
        metavar="true|false" if setting.type is bool else value,
        **switch,
        help=f"{setting.help} [{setting.variable}, default: {default}]".replace("%", "%%"),
    )


def _serve(options: argparse.Namespace) -> int:
    settings = load(vars(options), os.environ)
    log.configure(settings.log_format)
    reached = _fail_point()
    process.run(_until_stopped(settings, reached))
    return 0


def _fail_point() -> Reached:
    try:
        return fail_points.chosen(os.environ)
    except ValueError as error:
        raise ConfigError([str(error)]) from None


async def _until_stopped(settings: Settings, reached: Reached) -> None:
    logger = structlog.get_logger("ingest")
    with process.stopping() as stop:
        async with running(settings, reached) as url:
            logger.info("listening", url=url, store=settings.store, data_dir=str(settings.data_dir))
            await stop.wait()
        logger.info("stopped")


if __name__ == "__main__":
    sys.exit(main())
