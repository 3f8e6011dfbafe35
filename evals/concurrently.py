"""Running coroutines side by side so that the first error ends them all."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable


async def all_of(coroutines: Iterable[Coroutine[object, object, None]]) -> None:
    """Run them side by side. The first error ends the others, which are waited for, and is raised as it is."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
