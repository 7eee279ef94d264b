"""Token files: `DIR/<name>.token`, the text alone, readable by its owner, and by one group if that is wanted."""

import os
import secrets
import stat
from collections.abc import Collection
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

    def group(self, name: str) -> int | None:
        """The gid whose members may read the token's file, None if only its owner may."""
        return readers(self.file(name))

    def write(self, name: str, text: str, group: int | None = None) -> None:
        """Keep a token's text through a power cut. Raises OSError."""
        write_secret(self.file(name), text, group)

    def prepare(self, groups: Collection[int | None] = (None,)) -> None:
        """Make the folder and try it, before a token is made whose text could not be kept.

        Raises Refused if the folder can't be written, or no file in it be given to one of the groups.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.attempt(None)
        except OSError as error:
            raise Refused(f"Can't write token files to {self.path} ({error.strerror}): choose --tokens-dir.") from None
        for group in groups:
            try:
                self.attempt(group)
            except OSError as error:
                raise Refused(
                    f"Can't give a file to group {group} ({error.strerror}): run as a member of it, or change --group."
                ) from None

    def attempt(self, group: int | None) -> None:
        trial = self.path / f".{secrets.token_hex(4)}.tmp"
        write_secret(trial, "", group)
        trial.unlink()


def read_secret(path: Path) -> str | None:
    """A secret file's text without surrounding white space, None without a file. Raises Refused."""
    try:
        return path.read_text(errors="replace").strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Refused(f"Can't read {path} ({error.strerror}): run as the user that owns it.") from None


def readers(path: Path) -> int | None:
    status = path.stat()
    return status.st_gid if status.st_mode & stat.S_IRGRP else None


def write_secret(path: Path, text: str, group: int | None = None) -> None:
    """Replace a secret file atomically, on disk when this returns. Raises OSError.

    Its mode is 0600; with a `group`, which the writer has to be a member of, that group's and 0640.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            if group is not None:
                os.fchown(descriptor, -1, group)
                os.fchmod(descriptor, 0o640)
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
