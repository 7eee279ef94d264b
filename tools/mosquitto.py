"""Mosquitto, the MQTT broker of the tests: Debian's package, installed if this may be done here."""

import os
import shutil
import subprocess
import sys

_PACKAGES = ("mosquitto", "mosquitto-clients")
_PROGRAMS = ("mosquitto", "mosquitto_pub")
# Debian puts the broker where only root's PATH looks.
_ALSO_IN = ("/usr/sbin", "/usr/local/sbin")


def find(program: str) -> str | None:
    """The path of ``mosquitto`` or ``mosquitto_pub``."""
    return shutil.which(program, path=os.pathsep.join((os.environ.get("PATH", os.defpath), *_ALSO_IN)))


def ensure() -> int:
    """Install broker and client with apt-get unless they are there; 0 if they are in the end."""
    if not _missing():
        print(f"mosquitto: {find('mosquitto')}")
        return 0
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("mosquitto: installing Debian's package", flush=True)
        _install()
    missing = _missing()
    if missing:
        print(
            f"not found: {' '.join(missing)}. Install your system's packages {' and '.join(_PACKAGES)}, version 2.",
            file=sys.stderr,
        )
    return 1 if missing else 0


def _missing() -> list[str]:
    return [program for program in _PROGRAMS if find(program) is None]


def _install() -> None:
    # No broker must start with the package: tests start their own.
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", *_PACKAGES]):
        subprocess.run(["apt-get", "-qq", *arguments], env=environment, stdout=subprocess.DEVNULL, check=False)
