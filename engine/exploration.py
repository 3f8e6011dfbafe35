"""Opt-in exploration: a random choice, with its probability, among questions that guardrails find equally acceptable.

The engine usually asks what it thinks best, and so never learns how another question would have done. With exploration
on, a small share of its questions is drawn from a few others, and the probability of what was drawn is recorded with
the outcome. Pure: the draw comes from the id of the message, so that a message delivered again is answered alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from engine import memory
from engine.guardrails import guard
from engine.guardrails.conduct import NO_CLAIM, guard_recommendation
from engine.merge import merge_qualification_signals
from engine.model.analysis import Analysis, Question, Source
from engine.model.conversation import Turn
from engine.model.qbs import (
    EngagementSignal,
    PainDepthLevel,
    PainFunnelState,
    QBSQuestionRecommendation,
    QBSQuestionType,
    VossDelivery,
)
from engine.model.qualification import Dimension, QualificationState
from engine.model.state import ConversationState
from engine.pain import PainDepthTracker, sense
from engine.rules.choice import EARLY, NOT_EARLY, STALE_PROBES
from engine.rules.depth import problems
from engine.rules.echo import echo
from engine.rules.reading import read
from engine.rules.seed import USEFUL, WELL_KNOWN
from engine.rules.wordings import has_fresh, wording
from engine.wording import questions

MOST_EXPLORED = 0.5
SALT = "qbs exploration 1"

# Saying first what the customer may hold against us is for one who holds back.
_DELIVERIES = (VossDelivery.CALIBRATED_QUESTION, VossDelivery.LABEL, VossDelivery.MIRROR)


@dataclass(frozen=True, slots=True)
class Exploration:
    """How much is explored: `share` of the questions, above 0 and at most 0.5, is drawn from all candidates alike.

    Another `salt` draws otherwise. Raises ValueError for a share out of bounds.
    """

    share: float
    salt: str = SALT

    def __post_init__(self) -> None:
        if not 0 < self.share <= MOST_EXPLORED:
            raise ValueError(f"a share of {self.share} cannot be explored: it is above 0 and at most {MOST_EXPLORED}")

    def draw(self, *key: str) -> float:
        """A number in [0, 1), even over keys, and the same for the same key: its BLAKE2 hash with the salt."""
        named = "\0".join((self.salt, *key)).encode("utf-8", "surrogatepass")
        return (int.from_bytes(hashlib.blake2b(named, digest_size=8).digest()) >> 11) / 2**53


class Offer(NamedTuple):
    """A question that could have been chosen, and how probable that was."""

    recommendation: QBSQuestionRecommendation
    probability: float


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was chosen of the `offers`, whose probabilities add up to 1; the usual question is the first of them."""

    offers: tuple[Offer, ...]
    place: int

    @property
    def recommendation(self) -> QBSQuestionRecommendation:
        return self.offers[self.place].recommendation

    @property
    def propensity(self) -> float:
        return self.offers[self.place].probability

    @property
    def usual(self) -> bool:
        return self.place == 0


class _Way(NamedTuple):
    """What makes one question another: type, target and delivery. Its words do not."""

    question_type: QBSQuestionType
    target: Dimension
    delivery: VossDelivery


def explore(
    exploration: Exploration,
    state: ConversationState,
    turn: Turn,
    history: Sequence[Turn],
    analysis: Analysis,
    *,
    key: Sequence[str],
) -> tuple[Analysis, Chosen]:
    """The analysis with the question that is drawn under `key`, and what it was drawn from.

    `analysis` has been through the guardrails, and so has what is returned. Another question than the usual takes its
    place as if the rules had recommended it: the words are theirs.
    """
    chosen = choose(candidates(state, turn, history, analysis), exploration.draw(*key), exploration.share)
    if chosen.usual:
        return analysis, chosen
    question = Question(recommendation=chosen.recommendation, source=_from_rules(analysis.question.source))
    return guard(state, turn, history, analysis.raw.model_copy(update={"question": question})), chosen


def choose(candidates: Sequence[QBSQuestionRecommendation], draw: float, share: float) -> Chosen:
    """The candidate at `draw`, in [0, 1). Of k, each has share / k, and the first, the usual one, 1 - share more.

    A usual question without any other is certain.
    """
    each = share / len(candidates)
    usual = 1.0 - each * (len(candidates) - 1)
    offers = tuple(Offer(candidate, each if place else usual) for place, candidate in enumerate(candidates))
    place = 0 if draw < usual else min(1 + int((draw - usual) / each), len(candidates) - 1)
    return Chosen(offers, place)


def candidates(
    state: ConversationState, turn: Turn, history: Sequence[Turn], analysis: Analysis
) -> tuple[QBSQuestionRecommendation, ...]:
    """The usual question first, then those that could as well be asked: each passes the guardrails as it is.

    They are the same question delivered otherwise, the next gap for the same type, and the other types that what is
    known allows, each asking for something that is not well known, early on for nothing that needs trust, and never in
    words used before. While the customer holds back or shows feelings, only the delivery varies. A question that a
    guardrail changed, and a message without one, stay as they are. Nobody estimated how likely an answer to the others
    is, so that their confidence claims nothing.
    """
    usual = analysis.question.recommendation
    changed = any(change.subject == "question" for change in analysis.changes)
    if changed or not questions(usual.suggested_question):
        return (usual,)
    place = _Place.of(state, turn, history, analysis)
    others = (place.asking(way) for way in dict.fromkeys(place.ways()) if way != place.usual_way)
    return (usual, *(other for other in others if place.accepts(other)))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the conversation a question is chosen: what is known with this turn, and how the customer reacts."""

    state: ConversationState
    turn: Turn
    history: Sequence[Turn]
    usual: QBSQuestionRecommendation
    known: QualificationState
    pain: PainFunnelState
    asked: frozenset[str]

    @classmethod
    def of(cls, state: ConversationState, turn: Turn, history: Sequence[Turn], analysis: Analysis) -> _Place:
        usual = analysis.question.recommendation
        return cls(
            state=state,
            turn=turn,
            history=history,
            usual=usual,
            known=merge_qualification_signals(state.qualification, analysis.extraction.found),
            pain=sense(PainDepthTracker.load(state), usual.engagement_signal, usual.pain_depth),
            asked=memory.asked(state) | {memory.fingerprint(usual.suggested_question)},
        )

    @property
    def usual_way(self) -> _Way:
        return _Way(self.usual.question_type, self.usual.meddic_bant_target, self.usual.voss_delivery)

    def ways(self) -> Iterator[_Way]:
        """What could be asked, before the guardrails have a say."""
        question_type, target, delivery = self.usual_way
        yield from (_Way(question_type, target, other) for other in _DELIVERIES)
        if self._holds_back:
            return
        yield from (_Way(question_type, gap, delivery) for gap in self._open(question_type, gaps=True)[:1])
        for other in QBSQuestionType:
            if other is not question_type and self._is_time_for(other):
                yield from (_Way(other, open_, delivery) for open_ in self._open(other, gaps=False)[:1])

    def asking(self, way: _Way) -> QBSQuestionRecommendation:
        """The recommendation that asks this way, worded by the rules."""
        return self.usual.model_copy(
            update={
                "question_type": way.question_type,
                "meddic_bant_target": way.target,
                "voss_delivery": way.delivery,
                "suggested_question": self._words(way),
                "rationale": "Chosen at random among questions found equally acceptable.",
                "confidence": NO_CLAIM,
            }
        )

    def accepts(self, other: QBSQuestionRecommendation) -> bool:
        """Whether the guardrails leave it exactly as it is."""
        _, changes = guard_recommendation(self.state, self.history, other)
        return not changes

    @property
    def _holds_back(self) -> bool:
        feels = self.usual.engagement_signal is EngagementSignal.EMOTIONAL_LANGUAGE
        return feels or PainDepthTracker.should_back_off(self.pain)

    def _is_time_for(self, question_type: QBSQuestionType) -> bool:
        """Whether there is what a question of this type goes on from."""
        named = self.pain.depth is not PainDepthLevel.NOT_EXPLORED
        if question_type is QBSQuestionType.IMPACT:
            return named
        if question_type is QBSQuestionType.SOLUTION:
            return named or self.known.signal(Dimension.NEED).identified
        return question_type is QBSQuestionType.PAIN_FUNNEL or bool(self.known.identified)

    def _open(self, question_type: QBSQuestionType, *, gaps: bool) -> list[Dimension]:
        """What a question of this type may ask for, the most useful first: `gaps` alone, or also what is not sure."""
        early = self.state.interaction_count < EARLY
        return [
            dimension
            for dimension in USEFUL[question_type]
            if dimension is not self.usual.meddic_bant_target
            and not (early and dimension in NOT_EARLY)
            and not self._is_stale(question_type, dimension)
            and has_fresh(question_type, dimension, self.asked)
            and (not self.known.signal(dimension).identified if gaps else self._unsure(dimension))
        ]

    def _unsure(self, dimension: Dimension) -> bool:
        return self.known.signal(dimension).confidence < WELL_KNOWN

    def _is_stale(self, question_type: QBSQuestionType, dimension: Dimension) -> bool:
        in_vain = self.pain.probe_count >= STALE_PROBES and not self.pain.opened_up
        return in_vain and self.pain.probe_key == f"{question_type}:{dimension}"

    def _words(self, way: _Way) -> str:
        mirrors = way.delivery is VossDelivery.MIRROR
        return wording(
            way.question_type,
            way.target,
            way.delivery,
            asked=self.asked,
            count=self.state.interaction_count,
            echo=echo(problems(read(self.turn.text))) if mirrors else None,
        )


def _from_rules(usual: Source) -> Source:
    """The words are the rules'; what asking a model took was spent all the same, and why it failed stays known."""
    return usual if usual.is_fallback else usual.model_copy(update={"kind": "rules", "model": None, "prompt": None})
