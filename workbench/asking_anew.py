"""A variant asked anew at many turns: counted beforehand, within limits, and stopped without losing an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from engine.analyzers import Analyzer
from engine.errors import QBSError
from workbench.asking import AskingAnalyzer, Reach
from workbench.replays import GRACE_SECONDS
from workbench.text import count

if TYPE_CHECKING:
    from engine.llm.limits import Ledger
    from engine.model.analysis import Analysis, FallbackReason
    from engine.model.conversation import Turn
    from engine.model.state import ConversationState
    from workbench.replays import Ended
    from workbench.settings import Settings

CALLS_A_TURN = 3  # extraction, question, expansion

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class AskingProgress:
    """`done` of `total` turns, and what was really asked for them: answers that were recorded before cost nothing.

    `cost_usd` is None as soon as a price is not known.
    """

    done: int
    total: int
    calls: int
    cost_usd: float | None


class StoppedError(QBSError):
    """Not all turns were asked about, so that there is no answer: a `person` or a `limit` stopped it, or no model could
    be reached (`unanswered`, for `reason`). Every answer that came is recorded.
    """

    def __init__(self, ended: Ended, progress: AskingProgress, reason: FallbackReason | None = None) -> None:
        self.ended = ended
        self.progress = progress
        self.reason = reason
        why = {"limit": "at a limit", "unanswered": f"since no model answered ({reason})"}.get(ended, "before the end")
        super().__init__(
            f"stopped {why}, after {progress.done:,} of {count(progress.total, 'turn')} and "
            f"{count(progress.calls, 'call')}: what was answered is kept, and asking the same again goes on from there"
        )


class AskingAnew:
    """One session of asking `analyzer` at `total` turns. It is an analyzer itself, the one to be asked.

    Belongs to one event loop. `ledger` is that of the service that the analyzer asks.
    """

    def __init__(
        self,
        analyzer: Analyzer,
        total: int,
        ledger: Ledger,
        settings: Settings,
        on_progress: Callable[[AskingProgress], None] | None = None,
        stop: asyncio.Event | None = None,
    ) -> None:
        self._reach = Reach()
        self._under_way = _UnderWay(analyzer)
        self._asking = AskingAnalyzer(self._under_way, self._reach)
        self._total = total
        self._done = 0
        self._ledger = ledger
        self._settings = settings
        self._on_progress = on_progress
        self._stop = stop or asyncio.Event()

    async def analyze(self, state: ConversationState, turn: Turn, history: Sequence[Turn]) -> Analysis:
        """Never returns once the session has ended: `through` then cancels it."""
        if self._stop.is_set():
            await asyncio.Event().wait()
        analysis = await self._asking.analyze(state, turn, history)
        self._done += 1
        if self._on_progress is not None:
            self._on_progress(self.progress)
        return analysis

    @property
    def progress(self) -> AskingProgress:
        spent = self._ledger.spent
        return AskingProgress(self._done, self._total, spent.calls, spent.cost_usd)

    async def through(self, work: Awaitable[ResultT]) -> ResultT:
        """What `work`, which asks this analyzer, comes to. Raises StoppedError once the turns under way have ended; for
        that they have no longer than their deadline.
        """
        ended = self._reach.ended
        task = asyncio.ensure_future(work)
        waiting = [asyncio.ensure_future(each.wait()) for each in (ended, self._stop)]
        try:
            await asyncio.wait(
                {task, *waiting}, timeout=self._settings.max_seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if task.done():
                return task.result()
            raise StoppedError(self._ended(), self.progress, self._reach.reason)
        finally:
            ended.set()  # nobody is asked any more
            await self._under_way.over(self._settings.deadline_seconds + GRACE_SECONDS)
            for each in (task, *waiting):
                each.cancel()
            await asyncio.wait({task})

    def _ended(self) -> Ended:
        if self._reach.ended.is_set():
            return "limit" if self._reach.reason is None else "unanswered"
        return "person" if self._stop.is_set() else "limit"


class _UnderWay:
    """An analyzer, and whether it is being asked just now."""

    def __init__(self, analyzer: Analyzer) -> None:
        self._analyzer = analyzer
        self._asked = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def analyze(self, state: ConversationState, turn: Turn, history: Sequence[Turn]) -> Analysis:
        self._asked += 1
        self._idle.clear()
        try:
            return await self._analyzer.analyze(state, turn, history)
        finally:
            self._asked -= 1
            if not self._asked:
                self._idle.set()

    async def over(self, seconds: float) -> None:
        """Wait until nothing is under way, or so many seconds."""
        waiting = asyncio.ensure_future(self._idle.wait())
        await asyncio.wait({waiting}, timeout=seconds)
        waiting.cancel()
