"""A file system of its own that is soon full."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A tmpfs at ``folder``; fails where none can be mounted."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "pulso-test", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    assert mounted.returncode == 0, (
        f"this test needs a file system of its own: run it as root, or with 'unshare -Urm' before it ({mounted.stderr})"
    )
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Use up every byte that is left in ``folder``; whoever removes the file makes room again."""
    ballast = folder / "ballast"
    with ballast.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            # The last of it a page at a time.
            size = 2**20 if os.statvfs(folder).f_bavail > 512 else 4096
            file.write(b"x" * size)
    return ballast
