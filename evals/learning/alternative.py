"""What another variant would have chosen at the turns of a log: from a run over them, or by asking it now.

A turn is known by its conversation and index. Each is analysed in the state that the conversation was really in, with
what was really said before: the other variant's own questions would have led elsewhere, where nobody knows the answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from engine.advance import advance
from engine.analyzers import Analyzer
from engine.folding import KeptTurn, opening_of
from engine.guardrails import guard
from engine.model.analysis import Analysis, Question
from engine.model.conversation import Turn
from engine.model.qbs import QBSQuestionRecommendation
from engine.model.state import ConversationState
from evals.concurrently import all_of
from evals.learning.off_policy.log import Action
from evals.learning.off_policy.policies import Recommended
from evals.records import TurnRecord

CONCURRENCY = 8

Questions = dict[tuple[str, int], Question]


@dataclass(frozen=True, slots=True)
class LoggedConversation:
    """A conversation under the name that its outcomes have, as it was: its state now, and its turns with what was
    concluded from them at the time.
    """

    name: str
    state: ConversationState
    turns: tuple[KeptTurn, ...]


def recommended_in(records: Iterable[TurnRecord], name: str, parts: Sequence[str]) -> Recommended:
    """What a run recommended: of each turn its first sample, and nothing of turns that failed.

    A fallback's answer counts, as in `recommended_by`.
    """
    found: Questions = {}
    for record in records:
        if record.sample == 0 and isinstance(record.result, Analysis):
            found[record.conversation_id, record.turn] = record.result.question
    return _recommended(name, found, parts)


async def recommended_by(
    analyzer: Analyzer,
    conversations: Iterable[LoggedConversation],
    wanted: Collection[tuple[str, int]],
    name: str,
    parts: Sequence[str],
    *,
    concurrency: int = CONCURRENCY,
) -> Recommended:
    """What `analyzer` recommends now at the `wanted` turns of these conversations, several of them side by side.

    Where a model fails, its fallback counts: that is what the variant would have asked. The name then says how often.
    Raises what the analyzer does.
    """
    found: Questions = {}
    room = asyncio.Semaphore(concurrency)

    async def take(conversation: LoggedConversation) -> None:
        async with room:
            for before, turn, history in _places(conversation):
                if (conversation.name, turn.index) in wanted:
                    analysis = await analyzer.analyze(before, turn, history)
                    found[conversation.name, turn.index] = analysis.question

    await all_of(take(conversation) for conversation in conversations)
    return _recommended(name, found, parts)


def _recommended(name: str, found: Questions, parts: Sequence[str]) -> Recommended:
    fallbacks = sum(question.source.is_fallback for question in found.values())
    told = f", {fallbacks:,} of whose {len(found):,} answers are the fallback's" if fallbacks else ""
    choices = {place: _action(question.recommendation) for place, question in found.items()}
    return Recommended(f"{name}{told}", choices, tuple(parts))


def _places(conversation: LoggedConversation) -> Iterable[tuple[ConversationState, Turn, tuple[Turn, ...]]]:
    """Each turn that was analysed, with the state and the turns before it."""
    state, history = opening_of(conversation.state), tuple[Turn, ...]()
    for kept in sorted(conversation.turns, key=lambda kept: kept.turn.index):
        if kept.analysis is not None:
            yield state, kept.turn, history
            state = advance(state, kept.turn, guard(state, kept.turn, history, kept.analysis))
        history = (*history, kept.turn)


def _action(recommendation: QBSQuestionRecommendation) -> Action:
    return (
        str(recommendation.question_type),
        str(recommendation.meddic_bant_target),
        str(recommendation.voss_delivery),
    )
