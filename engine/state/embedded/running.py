"""Bringing the server of a folder up until it answers, and shutting it down. Only while `starting` is held.

That a server runs is known from the lock it holds, never from a number in a file: numbers are given to other programs
after a restart of the machine, and copied with the folder.
"""

from __future__ import annotations

import os
import shlex
import time
from dataclasses import dataclass, field

from engine.errors import ConfigurationError, DatabaseUnavailableError
from engine.state.embedded.folder import ServerFolder
from engine.state.embedded.locks import is_held, try_lock
from engine.state.embedded.passwords import MAINTENANCE
from engine.state.embedded.programs import run_program
from engine.state.embedded.settings import server_arguments
from engine.state.embedded.system_user import server_user
from engine.state.roles import DATABASE, set_up
from engine.state.urls import DatabaseUrls

WAIT_S = 60.0
SILENT_S = 5.0
STEP_S = 0.02
LAUNCHES = 3  # a server may be killed while it starts; one that cannot start dies every time
CONNECT_S = 5
BUSY = ("too many clients", "remaining connection slots")


@dataclass
class _Start:
    """How far bringing a server up has come."""

    began: float = field(default_factory=time.monotonic)
    heard: float = field(default_factory=time.monotonic)
    launches: int = 0


def bring_up(folder: ServerFolder) -> None:
    """Return when the application's role gets its SELECT 1 answered, having started whatever was missing.

    Raises ConfigurationError where the folder cannot be used, DatabaseUnavailableError where the server does not start
    or does not answer.
    """
    start = _Start()
    while problem := _problem(folder):
        _step(folder, start)
        if time.monotonic() - start.began > WAIT_S:
            raise DatabaseUnavailableError(f"the embedded server does not answer ({problem}): {folder.last_words()}")
        time.sleep(STEP_S)


def _step(folder: ServerFolder, start: _Start) -> None:
    """Start a server where none runs; end one that has been silent for so long that nobody can reach it."""
    lock = try_lock(folder.server)
    if lock is not None:
        try:
            if start.launches == LAUNCHES:
                raise DatabaseUnavailableError(f"the embedded server did not start: {folder.last_words()}")
            _launch(folder, lock)
        finally:
            os.close(lock)
        start.launches, start.heard = start.launches + 1, time.monotonic()
    elif folder.listens():
        start.heard = time.monotonic()
    elif time.monotonic() - start.heard > SILENT_S:
        shut_down(folder, "immediate")
        start.heard = time.monotonic()


def _launch(folder: ServerFolder, lock: int) -> None:
    """Start the server as a process of its own, which inherits the lock, and do not wait for it to answer."""
    user = folder.prepare()
    options = shlex.join(server_arguments(folder.socket))
    # A shell of pg_ctl's reads both paths again; these have nothing that it would take for a command.
    arguments = ["start", "-W", "-s", "-D", ".", "-l", folder.log.name, "-o", options]
    run_program("pg_ctl", arguments, user=user, cwd=folder.data, pass_fds=[lock], heard=False)


def shut_down(folder: ServerFolder, mode: str) -> None:
    """Stop the server: "fast" ends its sessions in order, "immediate" leaves mending to the next start."""
    run_program("pg_ctl", ["stop", "-w", "-s", "-m", mode, "-D", str(folder.data)], user=server_user(), heard=False)
    folder.remove_socket_folder()


def _problem(folder: ServerFolder) -> str:
    """What keeps the application from its rows; "" if nothing does. A database that is not there yet is made."""
    if not (folder.data.exists() and is_held(folder.server) and folder.listens()):
        return "nobody listens at its socket"
    urls = folder.urls()
    problem = _said(urls.app)
    if not problem:
        return ""
    if problem_of_all := _said(urls.maintenance, MAINTENANCE):
        if "password authentication failed" in problem_of_all:
            raise ConfigurationError(
                f"the passwords in {folder.path} are not those of its database: "
                "put passwords.json back from the copy it came with, or move the folder away to begin anew"
            )
        return problem_of_all
    return _made(urls) or _said(urls.app)


def _made(urls: DatabaseUrls) -> str:
    """Make the database and its roles. A server that dies meanwhile is a problem like any other."""
    import psycopg

    try:
        _make_database(urls.maintenance)
        set_up(urls)
    except (psycopg.OperationalError, DatabaseUnavailableError):
        return "it went away"
    return ""


def _said(url: str, database: str = DATABASE) -> str:
    """What the server says instead of answering SELECT 1; "" if it answers, or is too busy with others to."""
    import psycopg

    try:
        with psycopg.connect(url, connect_timeout=CONNECT_S, dbname=database) as connection:
            connection.execute("select 1")
    except psycopg.OperationalError as error:
        said = str(error).strip().rpartition("FATAL:")[2].strip()
        return "" if any(busy in said for busy in BUSY) else said or type(error).__name__
    return ""


def _make_database(url: str) -> None:
    """Make the database, outside a transaction as it has to be, and close the others to everybody."""
    import psycopg

    with psycopg.connect(url, connect_timeout=CONNECT_S, dbname=MAINTENANCE, autocommit=True) as connection:
        for database in (MAINTENANCE, "template1"):
            connection.execute(f"revoke all on database {database} from public".encode())
        if not connection.execute("select 1 from pg_catalog.pg_database where datname = %s", [DATABASE]).fetchone():
            connection.execute(f"create database {DATABASE} template template0".encode())
