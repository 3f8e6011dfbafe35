"""Locks on files. They end with the last process that holds them, however it ends, and mistake no process for another.

Three lie in a server's folder. `starting` is held for the moments in which a server is started or stopped. `users` is
shared by every process that uses the server. `server` is inherited by the server and its children: while one of them
lives, nobody else gets it.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import DatabaseUnavailableError


def try_lock(file: Path, *, shared: bool = False) -> int | None:
    """The open descriptor that holds the lock, or None where somebody else does. Closing it gives the lock back."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def is_held(file: Path) -> bool:
    """Whether anybody holds the lock alone."""
    descriptor = try_lock(file, shared=True)
    if descriptor is not None:
        os.close(descriptor)
    return descriptor is None


@contextmanager
def locked(file: Path, *, within_s: float) -> Iterator[None]:
    """Hold the lock alone. Raises DatabaseUnavailableError where it is not free in time."""
    until = time.monotonic() + within_s
    while (descriptor := try_lock(file)) is None:
        if time.monotonic() > until:
            raise DatabaseUnavailableError(
                f"another process has been starting or stopping the server in {file.parent} for {within_s:.0f} s; "
                "end it, and try again"
            )
        time.sleep(0.02)
    try:
        yield
    finally:
        os.close(descriptor)
