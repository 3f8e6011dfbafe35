"""One process at a time: advisory locks on files, released by the system when their holder dies."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evals.errors import LockedError

_RETRY_SECONDS = 0.005


@contextmanager
def locked(file: Path, *, what: str, timeout: float = 10.0) -> Iterator[None]:
    """Hold the lock `file` (made if need be) while the block runs; threads of one process exclude each other too.

    Raises LockedError, which names `what` and the process that has it, if it is not free within `timeout` seconds.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _acquire(descriptor, what, time.monotonic() + timeout)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def is_locked(file: Path) -> bool:
    """Whether somebody holds the lock at this moment."""
    try:
        descriptor = os.open(file, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, what: str, give_up: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= give_up:
                holder = os.pread(descriptor, 20, 0)
                raise LockedError(what, int(holder) if holder.isdigit() else None) from None
            time.sleep(_RETRY_SECONDS)
        else:
            return
