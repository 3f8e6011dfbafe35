"""Replies drafted once for each analysis of a message, however many pages ask for one meanwhile."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.live.values import LiveContact

if TYPE_CHECKING:
    from engine.drafting import Draft

MOST_KEPT = 500


class DraftOf(NamedTuple):
    """What a draft is made from: another variant, or another analysis of the message, makes another draft."""

    contact: LiveContact
    turn: int
    variant: str
    analysis: str  # as JSON


class Drafts:
    """The newest drafts, and those under way. Belongs to one event loop."""

    def __init__(self) -> None:
        self._tasks: OrderedDict[DraftOf, asyncio.Task[Draft]] = OrderedDict()

    async def get(self, key: DraftOf, make: Callable[[], Coroutine[Any, Any, Draft]]) -> Draft:
        """The draft of `key`, which `make` makes if nobody has begun to. Raises what `make` does."""
        if key not in self._tasks:
            self._begin(key, make())
        return await asyncio.shield(self._tasks[key])  # who goes away takes it from nobody else

    def forget(self, of: Callable[[LiveContact], bool]) -> None:
        """Drop the drafts for these contacts; one that is under way is given up."""
        for key in [key for key in self._tasks if of(key.contact)]:
            self._tasks.pop(key).cancel()

    def cancel(self) -> None:
        """Give up those that are under way."""
        for task in self._tasks.values():
            task.cancel()

    def _begin(self, key: DraftOf, making: Coroutine[Any, Any, Draft]) -> None:
        def ended(task: asyncio.Task[Draft]) -> None:
            if task.cancelled() or task.exception():  # whoever asks next has it made again
                self._tasks.pop(key, None)

        self._tasks[key] = task = asyncio.create_task(making)
        task.add_done_callback(ended)
        while len(self._tasks) > MOST_KEPT:
            self._tasks.popitem(last=False)
