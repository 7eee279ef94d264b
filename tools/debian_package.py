"""Programs that are Debian's packages: installed by apt-get where that may be done, named in a sentence where not."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass

# Debian puts servers where only root's PATH looks.
_SERVER_FOLDERS = ("/usr/sbin", "/usr/local/sbin")


@dataclass(frozen=True)
class DebianPackage:
    """``programs`` are needed all; each may go by one of several names, for other systems have other ones."""

    name: str
    packages: tuple[str, ...]
    programs: tuple[tuple[str, ...], ...]
    remark: str = ""
    also_in: tuple[str, ...] = _SERVER_FOLDERS

    def find(self, program: str) -> str | None:
        """The path of a program, by any of its names."""
        names = next(names for names in self.programs if program in names)
        folders = os.pathsep.join((os.environ.get("PATH", os.defpath), *self.also_in))
        return next((path for name in names if (path := shutil.which(name, path=folders))), None)

    def ensure(self) -> int:
        """Install what is missing with apt-get; 0 if everything is there in the end."""
        if not self._missing():
            print(f"{self.name}: {self.find(self.programs[0][0])}")
            return 0
        if os.geteuid() == 0 and shutil.which("apt-get"):
            print(f"{self.name}: installing Debian's package", flush=True)
            self._install()
        missing = self._missing()
        if missing:
            wanted = " and ".join(self.packages)
            plural = "s" * (len(self.packages) > 1)
            print(
                f"not found: {' '.join(missing)}. Install your system's package{plural} {wanted}{self.remark}.",
                file=sys.stderr,
            )
        return 1 if missing else 0

    def _missing(self) -> list[str]:
        return [names[0] for names in self.programs if self.find(names[0]) is None]

    def _install(self) -> None:
        # No server must start with its package: tests start their own.
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        for arguments in (["update"], ["install", "--yes", "--no-install-recommends", *self.packages]):
            subprocess.run(["apt-get", "-qq", *arguments], env=environment, stdout=subprocess.DEVNULL, check=False)
