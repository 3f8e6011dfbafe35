"""Postgres' own programs that a backup needs: which, whom they connect to, and what it means when they fail."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from engine.errors import ConfigurationError, DatabaseUnavailableError, QBSError, StateError
from engine.state.embedded.programs import MAJOR
from engine.state.embedded.programs import program as bundled
from engine.state.urls import parts_of

# What they say, the error that it is, and what it means. Their own words are not passed on: they may quote rows.
_MEANINGS: tuple[tuple[str, type[QBSError], str], ...] = (
    ("No space left on device", StateError, "a disk is full, here or at the server; make room, and try again"),
    ("File too large", StateError, "the file grew larger than is allowed here; write it elsewhere"),
    ("server version mismatch", ConfigurationError, "the server is newer than it is"),
    ("unsupported version", ConfigurationError, "a newer version of Postgres made the file; have that version's here"),
    ("row-level security", ConfigurationError, "row level security binds the role; name one with BYPASSRLS"),
    ("permission denied", ConfigurationError, "the role may not do it; docs/production-state.md has what it needs"),
    ("must be owner", ConfigurationError, "the role may not do it; docs/production-state.md has what it needs"),
    ("must be able to SET ROLE", ConfigurationError, "the role has to be a member of qbs_owner"),
    ("lock timeout", DatabaseUnavailableError, "the tables are in use; try again when nothing uses them"),
    ("connection to server", DatabaseUnavailableError, "the server cannot be reached, or went away"),
    ("terminating connection", DatabaseUnavailableError, "the server went away"),
    ("does not appear to be a valid archive", StateError, "the file is not a dump"),
)


def program_for(name: str, server: int) -> Path:
    """The program `name` that a server of this major version takes: the one that came with us, or a newer one.

    Raises ConfigurationError if none is new enough.
    """
    if server <= MAJOR:
        return bundled(name)
    found = shutil.which(name)
    version = _version(found) if found else None
    if found is None or version is None or version < server:
        there = f"the {name} on the PATH is of version {version}" if found else f"there is no {name} on the PATH"
        raise ConfigurationError(
            f"the server is Postgres {server}, and {there}: install the client programs of Postgres {server}"
        )
    return Path(found)


def _version(program: str) -> int | None:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    number = re.search(r"\) (\d+)", said)
    return int(number[1]) if number else None


def connection_argument(url: str) -> str:
    """Whom to connect to, for a command line. Everybody on the machine may read that, so no password is in it."""
    from psycopg.conninfo import make_conninfo

    return f"--dbname={make_conninfo('', **{name: it for name, it in parts_of(url).items() if 'password' not in name})}"


def environment(url: str) -> Mapping[str, str]:
    """The environment for a program that connects there: only this holds the password."""
    password = parts_of(url).get("password")
    return os.environ | ({"PGPASSWORD": password} if password else {}) | {"LC_ALL": "C"}


def failed(name: str, code: int, said: str) -> QBSError:
    """The error for a program that ended with `code`, having `said` so."""
    kind, meaning = next(
        ((kind, meaning) for words, kind, meaning in _MEANINGS if words in said),
        (StateError, f"it ended with code {code}; the server's log may say why"),
    )
    return kind(f"{name} failed: {meaning}")
