"""What lies in the folder of an embedded server, and what is to be done there before a server can start.

    passwords.json    of the three roles, for us alone
    data/             of Postgres: the rows, pg_hba.conf, server.log, and the socket
    starting, users, server    locks

Copying the folder, while no server runs in it, is a backup; the copy can be used elsewhere.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import tempfile
from contextlib import suppress
from pathlib import Path

from engine.errors import ConfigurationError
from engine.state.embedded.passwords import MAINTENANCE, make_passwords, read_passwords
from engine.state.embedded.programs import MAJOR, program, run_program
from engine.state.embedded.settings import HBA, PORT, SOCKET, initdb_arguments
from engine.state.embedded.system_user import SystemUser, give, open_programs, open_way, server_user
from engine.state.roles import APP, DATABASE, OWNER
from engine.state.urls import DatabaseUrls, socket_url

# The address of a socket has room for 103 bytes on the smallest of the systems Postgres runs on.
_SOCKET_BYTES = 103
_UNQUOTED = frozenset(",\"'\\\n")  # a list of folders ends one at each comma, and clients cannot quote them
_LOG_BYTES = 1_000_000


class ServerFolder:
    """The folder `path`, before, between and after the times a server runs in it. Nothing is made before `make`."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().resolve()
        self.data = self.path / "data"
        self.log = self.data / "server.log"
        self.passwords = self.path / "passwords.json"
        self.starting = self.path / "starting"
        self.users = self.path / "users"
        self.server = self.path / "server"

    def make(self) -> None:
        """Make the folder itself, so that it can be locked."""
        self.path.mkdir(parents=True, exist_ok=True)
        self.path.chmod(0o711 if os.geteuid() == 0 else 0o700)

    def prepare(self) -> SystemUser | None:
        """Make all that a server needs to start, and say as whom it is to run. Only while no server runs here.

        Raises ConfigurationError where the folder cannot be used, DatabaseUnavailableError where making it fails.
        """
        user = server_user()
        if user:
            open_way(self.data)
            open_programs(program("postgres").parent.parent)
        if not self.data.exists():
            self._initialise(user)
        self._check()
        give(self.data, user)
        self._clear_stale()
        hba = self.data / "pg_hba.conf"
        hba.write_text(HBA, encoding="ascii")
        give(hba, user)
        if self.log.exists() and self.log.stat().st_size > _LOG_BYTES:
            self.log.unlink()
        if self.socket != self.data:
            self._make_socket_folder(user)
        return user

    @property
    def socket(self) -> Path:
        """Where the socket is: in `data`, or, where no socket can have such a path, in a folder of its own."""
        name = f"qbs-{hashlib.sha256(os.fsencode(self.data)).hexdigest()[:16]}"
        choices = (self.data, Path(tempfile.gettempdir()).resolve() / name, Path("/tmp") / name)  # noqa: S108
        return next((it for it in choices if _takes_socket(it)), choices[-1])

    def remove_socket_folder(self) -> None:
        """Remove the folder that only the socket had, once no server runs here; whatever else is in it keeps it."""
        if self.socket != self.data:
            with suppress(OSError):
                self.socket.rmdir()

    def listens(self) -> bool:
        """Whether anything answers at the socket, be it only to say that it is not ready."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
            caller.settimeout(5.0)
            return caller.connect_ex(str(self.socket / SOCKET)) == 0

    def urls(self) -> DatabaseUrls:
        """The addresses with their passwords."""
        passwords = read_passwords(self.passwords)

        def url(user: str) -> str:
            return socket_url(self.socket, DATABASE, user=user, password=passwords[user], port=PORT)

        return DatabaseUrls(app=url(APP), owner=url(OWNER), maintenance=url(MAINTENANCE))

    def last_words(self) -> str:
        """The server's last complaint, which never holds a statement or a row, and where its log is, if it has one."""
        if not self.log.exists():
            return "it said nothing"
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:]
        said = next((line.partition("FATAL:")[2].strip() for line in reversed(lines) if "FATAL:" in line), "")
        return f"{said or 'it said nothing'}; its log is {self.log}"

    def _initialise(self, user: SystemUser | None) -> None:
        """Make the data aside and move it into place at once, so that a killed start leaves nothing half made."""
        passwords = make_passwords(self.passwords)
        new, word = self.path / "data.new", self.path / "password.new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        word.touch(mode=0o600)
        word.write_text(passwords[MAINTENANCE], encoding="ascii")
        try:
            for path in (new, word):
                give(path, user)
            run_program("initdb", initdb_arguments(new, word), user=user)
        finally:
            word.unlink()
        new.rename(self.data)

    def _check(self) -> None:
        read_passwords(self.passwords)
        file = self.data / "PG_VERSION"
        if not file.exists():
            raise ConfigurationError(
                f"{self.data} holds no database: move the folder away, or put back what belongs in it"
            )
        version = file.read_text(encoding="ascii").strip()
        if version != str(MAJOR):
            raise ConfigurationError(
                f"{self.data} was made by Postgres {version}, and this program brings Postgres {MAJOR}: "
                "back it up with the program that made it, move the folder away, and restore into a new one"
            )

    def _clear_stale(self) -> None:
        """Remove what a killed server, or the server of the folder this is a copy of, left to keep others out."""
        if self.listens():
            raise ConfigurationError(
                f"a server that was started by hand runs in {self.data}; stop it: pg_ctl -D {self.data} stop"
            )
        sockets = [left for place in {self.data, self.socket} for left in place.glob(".s.PGSQL.*")]
        for left in (self.data / "postmaster.pid", *sockets):
            left.unlink(missing_ok=True)

    def _make_socket_folder(self, user: SystemUser | None) -> None:
        """In a place where everybody may make folders, so that one that is there may be a trap."""
        self.socket.mkdir(mode=0o700, exist_ok=True)
        ours = {os.geteuid(), user.uid if user else os.geteuid()}
        if self.socket.is_symlink() or self.socket.lstat().st_uid not in ours:
            raise ConfigurationError(
                f"{self.socket} is not ours, and {self.data} has a path that no socket can have: "
                "remove that folder, or set QBS_HOME to a shorter path of plain letters"
            )
        give(self.socket, user)


def _takes_socket(folder: Path) -> bool:
    """Whether a socket can be there: its path has room, and nothing that clients or the server would take for more."""
    path = str(folder / SOCKET)
    return len(os.fsencode(path)) <= _SOCKET_BYTES and not _UNQUOTED.intersection(path)
