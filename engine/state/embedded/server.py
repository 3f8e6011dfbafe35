"""One process's use of the embedded server: it is kept up while anybody uses it, and stops with its last user.

The first process to use a folder starts its server, the others join it, and each starts it again should it die. The
one that ends last stops it; where that one is killed, the server runs on, and whoever comes next takes it over.
"""

from __future__ import annotations

import atexit
import os
import threading
from pathlib import Path

import structlog

from engine.errors import ConfigurationError, QBSError
from engine.state.embedded.folder import ServerFolder
from engine.state.embedded.locks import is_held, locked, try_lock
from engine.state.embedded.running import WAIT_S, bring_up, shut_down
from engine.state.urls import DatabaseUrls

WATCH_S = 0.2
RETRY_S = 1.0


def start_embedded(folder: Path) -> EmbeddedServer:
    """Start the server in `folder`, or join the one that runs there, and prove that it answers.

    The first start makes the folder, the database, its schema and its roles, but no tables. Raises ConfigurationError
    where the folder cannot be used, DatabaseUnavailableError where the server does not start.
    """
    server = EmbeddedServer(ServerFolder(folder))
    server.start()
    return server


def is_running(folder: Path) -> bool:
    """Whether a server runs in `folder`."""
    place = ServerFolder(folder)
    return place.server.exists() and is_held(place.server)


class EmbeddedServer:
    """This process's use of the server in a folder: nothing before `start`."""

    def __init__(self, folder: ServerFolder) -> None:
        self._folder = folder
        self._share: int | None = None
        self._urls: DatabaseUrls | None = None
        self._process = os.getpid()
        self._ended = threading.Event()
        self._watch = threading.Thread(target=self._keep_up, name="embedded-postgres", daemon=True)

    @property
    def urls(self) -> DatabaseUrls:
        """Its addresses, which a restart does not change."""
        if self._urls is None:
            raise ConfigurationError("the embedded server has not been started")
        return self._urls

    @property
    def log(self) -> Path:
        """The server's own log: no statement and no row stands in it."""
        return self._folder.log

    def start(self) -> None:
        """As `start_embedded`; once."""
        try:
            self._folder.make()
            with locked(self._folder.starting, within_s=2 * WAIT_S):
                self._join()
        except OSError as error:
            raise ConfigurationError(
                f"the embedded server cannot use {self._folder.path} ({error.strerror}): "
                "see that the folder can be written to, set QBS_HOME to another, or QBS_DATABASE_URL to a server"
            ) from error
        atexit.register(self.stop)
        self._watch.start()

    def _join(self) -> None:
        self._share = try_lock(self._folder.users, shared=True)
        try:
            bring_up(self._folder)
            self._urls = self._folder.urls()
        except BaseException:
            self._part(stop_if_last=True)
            raise

    def stop(self) -> None:
        """End this process's use; the last to do so stops the server. A second call does nothing."""
        self._end(stop_if_last=True)

    def leave(self) -> None:
        """End this process's use and let the server run on, for whoever comes later."""
        self._end(stop_if_last=False)

    def _end(self, *, stop_if_last: bool) -> None:
        if self._ended.is_set() or os.getpid() != self._process:
            return
        self._ended.set()
        atexit.unregister(self.stop)
        self._watch.join()
        if self._folder.starting.exists():  # where the folder was removed, its server ends by itself
            with locked(self._folder.starting, within_s=2 * WAIT_S):
                self._part(stop_if_last=stop_if_last)

    def _part(self, *, stop_if_last: bool) -> None:
        if self._share is not None:
            os.close(self._share)
            self._share = None
        if stop_if_last and self._nobody_uses_it() and is_held(self._folder.server):
            shut_down(self._folder, "fast")

    def _nobody_uses_it(self) -> bool:
        alone = try_lock(self._folder.users)
        if alone is not None:
            os.close(alone)
        return alone is not None

    def _keep_up(self) -> None:
        """Start the server again whenever it has died; a folder that was removed is left alone."""
        pause, log = WATCH_S, structlog.get_logger(__name__)
        while not self._ended.wait(pause):
            try:
                if self._folder.starting.exists() and not is_held(self._folder.server):
                    with locked(self._folder.starting, within_s=WAIT_S):
                        bring_up(self._folder)
                    log.warning("database_restarted")
                pause = WATCH_S
            except (QBSError, OSError) as error:
                log.error("database_not_restarted", error=type(error).__name__)
                pause = RETRY_S
