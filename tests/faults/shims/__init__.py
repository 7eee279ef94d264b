"""Libraries that stand between a process and its C library, compiled when they are needed: LD_PRELOAD."""

import subprocess
from pathlib import Path

_SOURCES = Path(__file__).parent


def compiled(name: str, folder: Path) -> Path:
    """The library made of ``name``.c, in ``folder``. Needs a C compiler."""
    library = folder / f"{name}.so"
    command = ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", str(library), str(_SOURCES / f"{name}.c")]
    subprocess.run([*command, "-ldl"], check=True)
    return library
