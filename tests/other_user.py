"""Being another user for a while: what may be read and written is the kernel's own word."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


@contextmanager
def other_user(uid: int, gid: int, groups: Sequence[int] = ()) -> Iterator[None]:
    """The effective ids of this process inside the block. Only root may become somebody else."""
    before = os.geteuid(), os.getegid(), os.getgroups()
    os.setgroups(groups)
    os.setegid(gid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(before[0])
        os.setegid(before[1])
        os.setgroups(before[2])
