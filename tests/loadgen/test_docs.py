"""docs/loadgen.md is held to what the commands say of themselves."""

import re
from argparse import SUPPRESS, Action, ArgumentParser
from pathlib import Path

import pytest

from loadgen.cli import COMMANDS, Command
from loadgen.sensor_options import troubles_text
from loadgen.sensors import PROFILES

DOCS = (Path(__file__).parents[2] / "docs" / "loadgen.md").read_text(encoding="utf-8")


def section(command: str) -> str:
    """From a command's heading to the next of its level."""
    found = re.search(rf"^## `loadgen {command}`.*?(?=^## |\Z)", DOCS, re.MULTILINE | re.DOTALL)
    assert found, f"docs/loadgen.md has no section of loadgen {command}"
    return found[0]


def options(command: Command) -> list[Action]:
    parser = ArgumentParser(add_help=False)
    command.add_options(parser)
    return parser._actions


def row(action: Action) -> str:
    """``| `--rate` | `1000` | events a second |``; a default may stand in the help instead."""
    name = action.option_strings[0] if action.option_strings else str(action.metavar)
    what, _, told = str(action.help).removesuffix(")").partition(" (default: ")
    default = told if action.default == SUPPRESS else _shown(action.default)
    return f"| `{name}` | {default and f'`{default}`'} | {what} |"


def _shown(default: object) -> str:
    return "" if default in (None, False, []) else f"{default:g}" if isinstance(default, float) else str(default)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: str(command.name))
def test_every_option_stands_in_the_table_of_its_command(command: Command) -> None:
    rows = [row(action) for action in options(command)]
    table = [line for line in section(command.name).splitlines() if re.match(r"\| `(--[a-z-]+|[A-Z]+)` \|", line)]
    expected = "\n".join(rows)
    assert table == rows, f"the table of loadgen {command.name} should be:\n\n{expected}\n"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: str(command.name))
def test_the_exit_codes_are_those_of_the_help(command: Command) -> None:
    codes = set(re.findall(r"\b(\d+) ", command.more.split("exit codes: ")[1].split(". ")[0]))
    told = re.search(r"^Exit codes: (.*?)\n\n", section(command.name), re.MULTILINE | re.DOTALL)
    assert told, f"the section of loadgen {command.name} has no exit codes"
    missing = [code for code in codes if f"`{code}`" not in told[1]]
    assert not missing, f"loadgen {command.name}: exit codes {missing} of the help are not in {told[1]!r}"


def test_every_profile_is_described() -> None:
    rows = [f"| `{one.name}` | {one.summary} | {troubles_text(one.troubles)} |" for one in PROFILES.values()]
    expected = "\n".join(rows)
    assert expected in DOCS, f"the table of profiles should be:\n\n{expected}\n"
