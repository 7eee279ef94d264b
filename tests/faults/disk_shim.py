"""The shim that makes a disk fail or lose its power, compiled when it is needed."""

import errno
import struct
import subprocess
from pathlib import Path

_SOURCE = Path(__file__).with_name("disk_shim.c")
_CONTROLS = struct.Struct("4i")


class DiskShim:
    """Wraps the files under ``disk`` of a process that is started with ``variables``.

    ``platter`` is what a power cut would leave of them.
    """

    def __init__(self, folder: Path, disk: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.disk = disk
        self.platter = folder / "platter"
        self.platter.mkdir()
        self.control = folder / "control"
        self._library = folder / "disk_shim.so"
        compiler = ["cc", "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", str(self._library), str(_SOURCE), "-ldl"]
        subprocess.run(compiler, check=True)
        self.well()

    @property
    def preloaded(self) -> dict[str, str]:
        """The library alone, for its PULSO_DISK_UNREADABLE."""
        return {"LD_PRELOAD": str(self._library)}

    @property
    def variables(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(self._library),
            "PULSO_DISK_FOLDER": str(self.disk.resolve()),
            "PULSO_DISK_PLATTER": str(self.platter),
            "PULSO_DISK_CONTROL": str(self.control),
        }

    def well(self) -> None:
        """Everything works; nothing reaches the platter without an fsync."""
        self._set(0, 0, 0, 0)

    def fail(self, *, fsync: int = 0, write: int = 0, percent: int = 100) -> None:
        """From now on so many of a hundred calls fail with these errnos; 0 is none."""
        self._set(fsync, write, percent, 0)

    def tear(self, percent: int, *, failing_percent: int = 0) -> None:
        """So many of a hundred writes reach the platter by themselves, or a part of them; so many calls end in EIO."""
        self._set(errno.EIO, errno.EIO, failing_percent, percent)

    def _set(self, fsync: int, write: int, failing_percent: int, torn_percent: int) -> None:
        # In place: the process has it mapped.
        with self.control.open("r+b" if self.control.exists() else "wb") as control:
            control.write(_CONTROLS.pack(fsync, write, failing_percent, torn_percent))
