"""Python's garbage collector, asked to look less often while values without cycles come and go by the million.

Records are trees: they are gone as soon as nobody refers to them, without the collector. It looks through what is alive
after every 700 new objects all the same, which takes two fifths of the time of reading and judging a large run.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

SELDOM = 20_000  # new objects between two looks

_lock = threading.Lock()
_usual: list[tuple[int, int, int]] = []  # what was set before, once for each block that runs


@contextmanager
def rarely_collected() -> Iterator[None]:
    """Look less often as long as any such block runs in this process; then as often as before."""
    with _lock:
        _usual.append(_usual[-1] if _usual else gc.get_threshold())
        gc.set_threshold(max(SELDOM, _usual[-1][0]) if _usual[-1][0] else 0, *_usual[-1][1:])
    try:
        yield
    finally:
        with _lock:
            usual = _usual.pop()
            if not _usual:
                gc.set_threshold(*usual)
