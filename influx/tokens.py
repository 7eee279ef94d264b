"""Token files: `DIR/<name>.token`, the text alone, readable by its owner only."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from influx.errors import Refused

ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class TokenFolder:
    """A folder of secrets. A file appears whole and on disk, or not at all."""

    path: Path

    def file(self, name: str) -> Path:
        return self.path / f"{name}.token"

    @property
    def password_file(self) -> Path:
        return self.path / f"{ADMIN}.password"

    def read(self, name: str) -> str | None:
        """The token's text, None without a file. Raises Refused if it can't be read."""
        return read_secret(self.file(name))

    def write(self, name: str, text: str) -> None:
        """Keep a token's text through a power cut. Raises OSError."""
        write_secret(self.file(name), text)

    def prepare(self) -> None:
        """Make the folder and try it, before a token is made whose text could not be kept.

        Raises Refused if the folder can't be written.
        """
        trial = self.path / f".{secrets.token_hex(4)}.tmp"
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_secret(trial, "")
            trial.unlink()
        except OSError as error:
            raise Refused(f"Can't write token files to {self.path} ({error.strerror}): choose --tokens-dir.") from None


def read_secret(path: Path) -> str | None:
    """A secret file's text without surrounding white space, None without a file. Raises Refused."""
    try:
        return path.read_text(errors="replace").strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Refused(f"Can't read {path} ({error.strerror}): run as the user that owns it.") from None


def write_secret(path: Path, text: str) -> None:
    """Replace a secret file atomically, mode 0600, on disk when this returns. Raises OSError."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """A file's new name is on disk only when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
