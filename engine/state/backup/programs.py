"""Postgres' own programs that a backup needs: which, whom they connect to, and what it means when they fail."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg

from engine.errors import ConfigurationError, DatabaseUnavailableError, QBSError, StateError
from engine.state.embedded.programs import MAJOR
from engine.state.embedded.programs import program as bundled
from engine.state.preflight import sent_in_the_clear
from engine.state.urls import parts_of

NAMES = ("pg_dump", "pg_restore", "psql")

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
)
# What may be passed on of their own words, since it can name no row and no password. The last that is found counts.
_HARMLESS = re.compile(
    r'sslmode value "[a-z-]+" invalid when SSL support is not compiled in|server does not support SSL'
    r"|SSL error: [a-z ]*[a-z]|password authentication failed|no pg_hba\.conf entry|Connection refused|timeout expired"
    r"|could not translate host name|server closed the connection unexpectedly|out of (?:shared )?memory"
    r"|invalid command \\(?:un)?restrict|did not find magic string in file header|unexpected end of file"
    r"|does not appear to be a valid archive|input file is too short",
)


@dataclass(frozen=True, slots=True)
class Clients:
    """The client programs for a server of this major version, reached over TLS or not.

    Those that came with us do, unless the server is newer, or TLS is spoken, which they lack: then those on the PATH.
    """

    server: int
    tls: bool = False

    def program(self, name: str) -> Path:
        """The program `name`. Raises ConfigurationError, which says what to install, if there is none that fits."""
        if self.server <= MAJOR and not self.tls:
            return bundled(name)
        found = shutil.which(name)
        version = _version(found) if found else None
        if found is None or version is None or version < self.server:
            there = f"the {name} on the PATH is of version {version}" if found else f"there is no {name} on the PATH"
            why = "is reached over TLS, which the programs that come with us do not speak" if self.tls else "is newer"
            raise ConfigurationError(
                f"the server is Postgres {self.server} and {why}, and {there}: install the client programs of Postgres "
                f"{self.server} (Debian and Ubuntu: postgresql-client-{self.server})"
            )
        return Path(found)


def clients_for(connection: psycopg.Connection) -> Clients:
    """The programs for the server of this connection; those that a backup needs are all there.

    Raises ConfigurationError if one is missing, or if rows would be sent to another machine in the clear.
    """
    info, tls = connection.info, connection.pgconn.ssl_in_use
    if problem := sent_in_the_clear(info.host, info.hostaddr, encrypted=tls, variable="QBS_DATABASE_MAINTENANCE_URL"):
        raise ConfigurationError(problem)
    clients = Clients(info.server_version // 10_000, tls)
    for name in NAMES:
        clients.program(name)
    return clients


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
    return kind(f"{name} failed: {meaning}{own_words(said)}")


def own_words(said: str) -> str:
    """The program's own reason, in brackets, where it is known to hold neither a row nor a password; else ""."""
    found = _HARMLESS.findall(said)
    return f" ({found[-1].strip()})" if found else ""
