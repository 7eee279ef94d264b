"""A plan in words: one line per thing, then a summary."""

from collections.abc import Iterator, Sequence

from influx.declared import Declared
from influx.steps import Step


def lines(declared: Declared, steps: Sequence[Step], *, dry_run: bool = False) -> Iterator[str]:
    """Every declared thing and what happened to it, or would happen."""
    said: dict[str, list[str]] = {thing: [] for thing in things(declared)}
    for step in steps:
        for change in step.changes:
            said[change.thing].append(change.planned if dry_run else change.done)
    for thing, words in said.items():
        yield f"{thing}: {', '.join(words) or 'unchanged'}"
    yield summary(sum(map(bool, said.values())), len(said), dry_run=dry_run)


def summary(changed: int, total: int, *, dry_run: bool) -> str:
    if dry_run:
        return f"{changed} would change, {total - changed} unchanged; this was a dry run, nothing was touched."
    return f"{changed} changed, {total - changed} unchanged."


def made(steps: Sequence[Step]) -> Iterator[str]:
    """Only what was changed, for a run that ended early."""
    for step in steps:
        for change in step.changes:
            yield f"{change.thing}: {change.done}"


def things(declared: Declared) -> Iterator[str]:
    """Whatever a step may tell of, in the order people read it."""
    yield "server"
    yield f"organization {declared.organization}"
    yield from (f"bucket {bucket.name}" for bucket in declared.buckets)
    yield from (f"dbrp {bucket.name}" for bucket in declared.buckets)
    yield from (f"token {token.name}" for token in declared.tokens)
