"""What Ctrl-C (and SIGTERM) do to a long command: the first asks it to stop, a further one ends the process at once."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from workbench.commands.exits import INTERRUPTED, say

if TYPE_CHECKING:
    import asyncio

_SHOW_CURSOR = "\x1b[?25h"  # a live bar hides it


class Interruptions:
    """What a signal means: `first`, if there is one, is called for the first; any other ends the process.

    Plain signal handlers and not the event loop's: those would wait for an analyzer that does not return. The process
    ends without waiting for its threads, which may be importing for seconds; what it had to keep is on disk by then.
    """

    def __init__(self, last_words: str) -> None:
        self.first: Callable[[], object] | None = None
        self._last_words = last_words

    def __call__(self, *_: object) -> None:
        if self.first is not None:
            first, self.first = self.first, None
            first()
            return
        os.write(sys.stderr.fileno(), self._goodbye().encode())
        os._exit(INTERRUPTED)

    def _goodbye(self) -> str:
        return f"{_SHOW_CURSOR if sys.stderr.isatty() else ''}{self._last_words}\n"


@contextmanager
def interruptions(last_words: str) -> Iterator[Interruptions]:
    """Take over SIGINT and SIGTERM while the block runs. `last_words` are said if the process ends in it."""
    interrupted = Interruptions(last_words)
    before = {number: signal.signal(number, interrupted) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def gentle_stop(interrupted: Interruptions, under_way: str) -> Iterator[asyncio.Event]:
    """An event that the first signal sets, while the block runs in an event loop. `under_way` is what ends first."""
    import asyncio

    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def stop_gently() -> None:
        say(f"Stopping after the {under_way} under way; Ctrl-C again stops at once.")
        stop.set()

    interrupted.first = lambda: loop.call_soon_threadsafe(stop_gently)
    try:
        yield stop
    finally:
        interrupted.first = None
