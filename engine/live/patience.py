"""Waiting no longer than was said, also for work that does not let itself be stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Patience:
    """Waits for work, and gives up on it: a database driver may take seconds to be cancelled when nobody answers.

    Work that was given up is cancelled and ends on its own; until then it is held here, so that it does end.
    """

    def __init__(self) -> None:
        self._given_up: set[asyncio.Task[Any]] = set()

    async def within(self, seconds: float, work: Coroutine[Any, Any, T]) -> T:
        """What `work` returns or raises. Raises TimeoutError after `seconds`; cancelled, it cancels the work too."""
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait({task}, timeout=seconds)
        finally:
            if not task.done():
                self._give_up(task)
        if not task.done():
            raise TimeoutError(f"no answer within {seconds:g} s")
        if task.cancelled():
            raise RuntimeError("the work stopped itself")  # not the waiting: that is not to be cancelled by its work
        return task.result()

    def _give_up(self, task: asyncio.Task[Any]) -> None:
        self._given_up.add(task)
        task.add_done_callback(self._ended)
        task.cancel()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._given_up.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, so that asyncio does not report it: nobody waits for it any more
