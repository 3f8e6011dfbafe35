"""A Postgres on TCP, as others would set it up: passwords, a port, and a maintenance role with few rights."""

from __future__ import annotations

import secrets
import shlex
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from engine.state.embedded.programs import program, run_program
from engine.state.embedded.system_user import SystemUser, give, open_programs, server_user
from engine.state.roles import APP, DATABASE, OWNER, set_up
from engine.state.urls import DatabaseUrls

HOST = "127.0.0.1"
SUPERUSER = "administrator"
MAINTENANCE = "qbs_maintenance"


@contextmanager
def short_folder() -> Iterator[Path]:
    """A folder that is gone afterwards, with a path short enough for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="qbs-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


class TcpServer:
    """A server on a free port of this machine. It can be stopped, killed and started again; its `urls` stay."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._data = folder / "data"
        self._user: SystemUser | None = server_user()
        self._passwords = {role: secrets.token_urlsafe(16) for role in (SUPERUSER, MAINTENANCE, OWNER, APP)}
        self._port = _free_port()

    @property
    def urls(self) -> DatabaseUrls:
        return DatabaseUrls(app=self.url(APP), owner=self.url(OWNER), maintenance=self.url(MAINTENANCE))

    def url(self, role: str, database: str = DATABASE) -> str:
        return f"postgresql://{role}:{self._passwords[role]}@{HOST}:{self._port}/{database}"

    def make(self) -> None:
        """Initialise and start it, with the database and its roles, and no tables."""
        word = self.folder / "password"
        self.folder.chmod(0o711)
        self._data.mkdir()
        word.write_text(self._passwords[SUPERUSER], encoding="ascii")
        if self._user:
            open_programs(program("postgres").parent.parent)
        for path in (self._data, word):
            give(path, self._user)
        arguments = [f"--pgdata={self._data}", f"--username={SUPERUSER}", f"--pwfile={word}", "--auth=scram-sha-256"]
        run_program("initdb", [*arguments, "--no-sync", "--encoding=UTF8", "--locale=C"], user=self._user)
        self.start()
        with psycopg.connect(self.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            rights = "login createrole bypassrls"
            password = self._passwords[MAINTENANCE]
            connection.execute(f"create role {MAINTENANCE} {rights} password '{password}'".encode())
            connection.execute(f"create database {DATABASE} owner {MAINTENANCE}".encode())
        set_up(self.urls)

    def start(self) -> None:
        options = shlex.join(
            f"-c{name}={value}"
            for name, value in {
                "listen_addresses": HOST,
                "port": self._port,
                "unix_socket_directories": "",
                "fsync": "off",
                "log_min_messages": "log",
            }.items()
        )
        self._pg_ctl("start", "-w", "-l", str(self._data / "server.log"), "-o", options)

    def stop(self, mode: str = "fast") -> None:
        self._pg_ctl("stop", "-w", "-m", mode)

    def become_standby(self) -> None:
        """From its next start on, it waits for what another server has written, and only reads."""
        signal = self._data / "standby.signal"
        signal.touch()
        give(signal, self._user)

    def kill(self) -> None:
        """End it at once, as a machine that loses its power would."""
        self.stop("immediate")

    def _pg_ctl(self, *arguments: str) -> None:
        run_program("pg_ctl", [*arguments, "-s", "-D", str(self._data)], user=self._user, heard=False)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port
