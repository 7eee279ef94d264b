"""Compare what is declared with what is there, and change what differs."""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from influx import durations, onboarding
from influx.connection import Access
from influx.declared import Declared
from influx.errors import NotApplied, Refused
from influx.found import Found
from influx.look import look
from influx.make import Maker
from influx.plan import plan
from influx.steps import SetRetention, Step
from influx.tokens import ADMIN, TokenFolder

ROUNDS = 3


async def apply(
    declared: Declared,
    access: Access,
    tokens_dir: Path,
    *,
    dry_run: bool = False,
    allow_shrink: bool = False,
    wait_seconds: float = 0,
) -> list[Step]:
    """Make InfluxDB hold what is declared, with its tokens in `tokens_dir`; return the steps made.

    On return a last look has found nothing left to do. With `dry_run` nothing is changed, neither
    on the server nor on disk, and the steps of the first look are returned. Without a token in
    `access`, `tokens_dir/admin.token` is used, and made for a server that is not set up yet.

    Raises NotApplied: Unreachable, Unauthorized, or Refused (also where a retention would get
    shorter without `allow_shrink`, then before anything is changed).
    """
    folder = TokenFolder(tokens_dir)
    fresh = await onboarding.is_fresh(access, wait_seconds=wait_seconds)
    access = with_token(access, folder, fresh=fresh)
    found = Found(fresh=True) if fresh else await look(declared, access, folder)
    steps = plan(declared, found)
    if not allow_shrink:
        forbid_shrinking(steps)
    if dry_run or not steps:
        return steps
    folder.prepare({token.group for token in declared.tokens})
    return await make_all(declared, Maker(declared.organization, access, folder), steps)


async def make_all(declared: Declared, maker: Maker, steps: Sequence[Step]) -> list[Step]:
    done: list[Step] = []
    for _ in range(ROUNDS):
        for step in steps:
            await make_one(maker, step, done)
        # InfluxDB has the last word on what a change led to: a new bucket's mapping, a new token's scope.
        steps = plan(declared, await look(declared, maker.access, maker.folder))
        if not steps:
            return done
    things = ", ".join(change.thing for step in steps for change in step.changes)
    raise Refused(f"InfluxDB took every change, but {things} still differs: is something else changing it?")


async def make_one(maker: Maker, step: Step, done: list[Step]) -> None:
    try:
        await maker.make(step)
    except NotApplied as error:
        error.done, error.failed = tuple(done), step
        raise
    done.append(step)


def with_token(access: Access, folder: TokenFolder, *, fresh: bool) -> Access:
    """Access with a token: the one given, that of the folder, or for a fresh server a new one."""
    if not access.token:
        token = folder.read(ADMIN) or (secrets.token_urlsafe(48) if fresh else "")
        access = replace(access, token=token, token_source=str(folder.file(ADMIN)))
    if not access.token:
        raise Refused(
            f"InfluxDB at {access.url} is set up already and there is no {folder.file(ADMIN)}: "
            "give its operator token in a file with --token-file or INFLUXDB_TOKEN_FILE."
        )
    if not access.token.isascii() or not access.token.isprintable():
        raise Refused(f"What {access.token_source} holds is not a token: it has characters that no token has.")
    return access


def forbid_shrinking(steps: Sequence[Step]) -> None:
    shrinking = [step for step in steps if isinstance(step, SetRetention) and step.shrinks]
    if shrinking:
        told = ", ".join(f"{s.bucket.name} from {durations.text(s.was_seconds)}" for s in shrinking)
        raise Refused(f"A shorter retention deletes data ({told}): say --allow-shrink if that is wanted.")
