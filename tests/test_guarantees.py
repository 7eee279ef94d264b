"""Every promise of docs/guarantees.md names the tests that hold it; here those are held to be there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROMISE = re.compile(r"^\| (?P<promise>[^|]+) \| (?P<rests_on>[^|]+) \| (?P<held_by>[^|]+) \|$", re.MULTILINE)
TEST = re.compile(r"`(?P<path>[a-z_/]+)(?:::(?P<name>[a-z0-9_]+))?`")
PAGE = (ROOT / "docs" / "guarantees.md").read_text()


def promises() -> list[tuple[str, str]]:
    rows = [(row["promise"], row["held_by"]) for row in PROMISE.finditer(PAGE)]
    return [row for row in rows if row[0] not in ("promise", "---")]


def test_the_page_promises_something() -> None:
    assert len(promises()) > 20


@pytest.mark.parametrize(("promise", "held_by"), promises())
def test_each_promise_is_held_by_tests_that_are_there(promise: str, held_by: str) -> None:
    tests = list(TEST.finditer(held_by))
    assert tests, f"no test is named for: {promise}"
    for test in tests:
        assert is_there(test["path"], test["name"]), f"{test.group()} is not there, but holds: {promise}"


def is_there(path: str, name: str | None) -> bool:
    """``path`` is a file or folder below tests/, without ``.py``; ``name`` a test function of the file, or a fault."""
    place = ROOT / "tests" / path
    if name is None:
        return place.is_dir() or place.with_suffix(".py").exists()
    tree = ast.parse(place.with_suffix(".py").read_text())
    return name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
