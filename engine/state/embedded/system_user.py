"""Who runs the server. Postgres refuses to run as root, so that root lets the system user `pgserver` run it."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import ConfigurationError

NAME = "pgserver"

_TRAVERSE = stat.S_IXOTH
_READ = stat.S_IROTH


@dataclass(frozen=True, slots=True)
class SystemUser:
    """A user of the machine: name and numbers."""

    name: str
    uid: int
    gid: int

    def as_arguments(self) -> dict[str, Any]:
        """What makes `subprocess.run` give up every right of root."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def server_user() -> SystemUser | None:
    """The user to run the server as, made if need be; None where we are not root and run it ourselves."""
    if os.geteuid() != 0:
        return None
    return _known_user() or _made_user()


def _known_user() -> SystemUser | None:
    import pwd

    try:
        entry = pwd.getpwnam(NAME)
    except KeyError:
        return None
    return SystemUser(NAME, entry.pw_uid, entry.pw_gid)


def _made_user() -> SystemUser:
    useradd = shutil.which("useradd")
    if useradd:
        make = [useradd, "--system", "--shell", "/bin/false", NAME]
        subprocess.run(make, capture_output=True, check=False)  # noqa: S603
    user = _known_user()
    if user is None:
        raise ConfigurationError(
            f"Postgres does not run as root, and the system user `{NAME}` could not be made: "
            f"add it by hand, or run as an ordinary user"
        )
    return user


def give(path: Path, user: SystemUser | None) -> None:
    """Make `path`, and all that is in a folder, the user's own and nobody else's. Does nothing where it is so."""
    uid = user.uid if user else os.geteuid()
    if user and path.stat().st_uid != uid:
        for inner in (path, *path.rglob("*")):
            os.chown(inner, user.uid, user.gid, follow_symlinks=False)
    if path.stat().st_uid != uid:
        raise ConfigurationError(
            f"{path} belongs to another user (number {path.stat().st_uid}): run as that user, or `chown -R` it"
        )
    path.chmod(0o700 if path.is_dir() else 0o600)


def open_way(path: Path) -> None:
    """Let everybody pass through the folders above `path`, without seeing what is in them."""
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & _TRAVERSE:
            folder.chmod(mode | _TRAVERSE)


def open_programs(install: Path) -> None:
    """Let everybody run the programs under `install`, also where they were unpacked for root alone."""
    open_way(install)
    if (install / "bin" / "postgres").stat().st_mode & (_TRAVERSE | _READ) == _TRAVERSE | _READ:
        return
    for path in (install, *install.rglob("*")):
        mode = path.stat().st_mode
        runs = path.is_dir() or bool(mode & stat.S_IXUSR)
        path.chmod(mode | _READ | (_TRAVERSE if runs else 0))
