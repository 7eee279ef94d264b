"""Programs that tests need and nobody has to install: built once for each version, into a per-user cache."""

import os
import re
import shutil
import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class GoProgram:
    """A program that ``tools/FOLDER/go.mod`` pins and ``tools/FOLDER/build.sh FILE ARGUMENTS…`` builds.

    ``module`` is its path as go.mod writes it, ``minutes`` what the build takes on two cores. The program itself,
    told ``version``, names its own. Built with other ``arguments`` it is another program in the cache.
    """

    name: str
    folder: str
    module: str
    minutes: int
    arguments: tuple[str, ...] = ()

    @property
    def recipe(self) -> Path:
        return Path(__file__).parent / self.folder

    def version(self) -> str:
        """The one version that Pulso is tested with, without the v."""
        found = re.search(rf"{re.escape(self.module)} v(\S+)", (self.recipe / "go.mod").read_text())
        assert found is not None, f"{self.recipe / 'go.mod'} does not pin {self.module}"  # noqa: S101
        return found.group(1)

    def cached(self) -> Path:
        """Where ``make tools`` puts what it builds."""
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        variant = f"-{zlib.crc32(' '.join(self.arguments).encode()):08x}" if self.arguments else ""
        return cache / "pulso" / f"{self.name}-{self.version()}{variant}"

    def find(self) -> Path | None:
        """The program in the right version: the one that was built, or one on the PATH."""
        on_path = shutil.which(self.name)
        for path in (self.cached(), Path(on_path) if on_path else None):
            if path is not None and path.exists() and self._is_right(path):
                return path
        return None

    def ensure(self) -> int:
        """Build it unless it is there; the exit code of build.sh, which says on stderr what it lacks."""
        found = self.find()
        if found is not None:
            print(f"{self.name}: {found}")
            return 0
        print(f"{self.name}: building {self.cached()}, about {self.minutes} minutes on two cores, once", flush=True)
        command = [str(self.recipe / "build.sh"), str(self.cached()), *self.arguments]
        return subprocess.run(command, check=False).returncode

    def _is_right(self, path: Path) -> bool:
        said = subprocess.run([str(path), "version"], capture_output=True, text=True, check=False).stdout
        return re.search(rf"\bv?{re.escape(self.version())}(?![\w.-])", said) is not None
