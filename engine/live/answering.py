"""An analysis in any case: what the analyzer says in time, or else a fallback that is labelled as one."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from pathlib import Path

import structlog

from engine.analyzers import Analyzer
from engine.guardrails import guard
from engine.live.patience import Patience
from engine.model.analysis import Analysis, Expansion, Extraction, FallbackReason, Question, Source
from engine.model.conversation import Turn
from engine.model.state import ConversationState
from engine.rules import recommend_by_seed


async def analysis_in_any_case(
    analyzer: Analyzer,
    state: ConversationState,
    turn: Turn,
    history: Sequence[Turn],
    *,
    seconds: float,
    patience: Patience,
) -> Analysis:
    """What `analyzer` says within `seconds`; if it says nothing, or has a defect, `fallback`. Never raises."""
    try:
        analysis = await patience.within(seconds, analyzer.analyze(state, turn, history))
        return analysis if analysis.guarded else guard(state, turn, history, analysis)
    except TimeoutError:
        reason, error = FallbackReason.DEADLINE, None
    except Exception as defect:  # noqa: BLE001  # whatever is wrong with an analyzer, the message has to count
        reason, error = FallbackReason.UNEXPECTED, kind_of(defect)
    structlog.get_logger(__name__).error("analyzer gave no analysis", reason=reason.value, error=error)
    return fallback(state, turn, history, reason)


def fallback(state: ConversationState, turn: Turn, history: Sequence[Turn], reason: FallbackReason) -> Analysis:
    """Nothing extracted, nobody mentioned, and the question of the seed table; `reason` is on each source."""
    source = Source(kind="rules", fallback_reason=reason)
    raw = Analysis(
        extraction=Extraction(source=source),
        question=Question(recommendation=recommend_by_seed(state), source=source),
        expansion=Expansion(source=source),
    )
    return guard(state, turn, history, raw)


def kind_of(error: Exception) -> str:
    """Class and place: the text may hold what was said."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(frame.filename).name}:{frame.lineno}"
