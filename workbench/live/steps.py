"""Watching the engine: which step of a message is under way, and how long each took."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.model.analysis import Analysis
from engine.model.conversation import Turn
from engine.model.state import ConversationState
from workbench.presenters.live_thinking import Step, StepTaken

if TYPE_CHECKING:
    from engine.analyzers import Analyzer


class Steps:
    """What has been done with one message so far. Written on the loop, read from any thread."""

    def __init__(self) -> None:
        self._begun: list[tuple[Step, float]] = []
        self._ended: float | None = None

    def begin(self, step: Step) -> None:
        """The step before ends with it. A step that was begun already goes on."""
        if not self._begun or self._begun[-1][0] is not step:
            self._begun.append((step, time.perf_counter()))

    def end(self) -> None:
        self._ended = time.perf_counter()

    def taken(self) -> tuple[StepTaken, ...]:
        begun = tuple(self._begun)
        ends = [*(moment for _, moment in begun[1:]), self._ended]
        return tuple(
            StepTaken(step, None if end is None else (end - moment) * 1_000)
            for (step, moment), end in zip(begun, ends, strict=False)
        )


class WatchedAnalyzer:
    """An analyzer that says when it is asked and when it has answered."""

    def __init__(self, analyzer: Analyzer, steps: Steps) -> None:
        self._analyzer = analyzer
        self._steps = steps

    async def analyze(self, state: ConversationState, turn: Turn, history: Sequence[Turn]) -> Analysis:
        self._steps.begin(Step.READING)
        try:
            return await self._analyzer.analyze(state, turn, history)
        finally:
            self._steps.begin(Step.KEEPING)
