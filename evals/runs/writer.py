"""Appending items to a file, a line each, so that one is acknowledged only when it is on disk, many per flush.

One thread makes the lines and writes them. While it waits for the disk, further items gather, and the next flush takes
them all (group commit): the event loop never waits, and no item is acknowledged early.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT")

# What a batch may wait for others to join it. In a batch an item costs less CPU: they share a flush and the
# waking of both threads, and their lines are made one after the other.
_GATHER_SECONDS = 0.025
_MAX_WAITING = 1_000  # items; beyond, `submit` waits for the disk, so that memory stays bounded

_flush = getattr(os, "fdatasync", os.fsync)  # the former is not everywhere


class GroupWriter(Generic[ItemT]):
    """Appends `line_of` each item; `on_disk` is told of the items that are safe. Both are called by the thread."""

    def __init__(
        self, file: Path, line_of: Callable[[ItemT], bytes], on_disk: Callable[[Sequence[ItemT]], None]
    ) -> None:
        self._descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self._line_of = line_of
        self._on_disk = on_disk
        self._waiting: list[ItemT] = []
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._write_batches, name=f"writer of {file.name}", daemon=True)
        self._thread.start()

    def submit(self, item: ItemT) -> None:
        """Hand over an item. Raises what went wrong (OSError) if an earlier one could not be written."""
        with self._changed:
            while len(self._waiting) >= _MAX_WAITING and self._failure is None:
                self._changed.wait()
            self._raise_failure()
            self._waiting.append(item)
            if len(self._waiting) == 1:
                self._changed.notify_all()

    def close(self) -> None:
        """Write what is waiting, and return when it is on disk. Raises OSError if it could not be written."""
        with self._changed:
            self._closing.set()
            self._changed.notify_all()
        self._thread.join()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        self._raise_failure()

    def _write_batches(self) -> None:
        while batch := self._next_batch():
            try:
                _write_all(self._descriptor, b"".join(map(self._line_of, batch)))
                _flush(self._descriptor)
                self._on_disk(batch)
            except Exception as error:  # noqa: BLE001  # raised to whoever submits or closes next
                self._fail(error)
                return

    def _next_batch(self) -> list[ItemT]:
        """What is waiting, once something is; empty when there is nothing more to come."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing.is_set())
        self._closing.wait(_GATHER_SECONDS)
        with self._changed:
            batch, self._waiting = self._waiting, []
            self._changed.notify_all()
        return batch

    def _fail(self, error: Exception) -> None:
        with self._changed:
            self._failure = error
            self._changed.notify_all()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
