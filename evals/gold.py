"""The labels in the place of an analyzer: what people said holds at each turn, as an `Analysis`.

Folding these analyses with the engine's own `advance` gives the gold state, but for backing off: that depends on
the questions asked before, which labels do not say, and is set to what they do say. The analyses pass no guardrail,
since they are the yardstick and not a claim, and their sources are of the kind `labels`.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.advance import advance
from engine.errors import InputError
from engine.model.analysis import Analysis, Expansion, Extraction, Question, Source
from engine.model.conversation import Conversation, Turn
from engine.model.qbs import ExpansionTrigger, QBSQuestionRecommendation, QBSQuestionType, VossDelivery
from engine.model.qualification import (
    AnySignal,
    Dimension,
    Evidence,
    ListSignal,
    QualificationState,
    Signal,
    qualification_from,
)
from engine.model.state import ConversationState
from engine.pain import PainDepthTracker
from evals.labels import DimensionLabel, TurnLabel, TurnLabels

LABELS_VARIANT = "labels"  # the name of the variant that answers with labels

_LABELS = Source(kind="labels")


class LabelAnalyzer:
    """Answers each customer turn of one conversation with its label."""

    def __init__(self, conversation: Conversation, labels: TurnLabels) -> None:
        """Raises InputError if a customer turn has no label."""
        for turn in conversation.customer_turns:
            if turn.index not in labels:
                raise InputError(f"{conversation.id} has no label for this turn, and gold needs one", turn=turn.index)
        self._labels = labels
        self._turns = len(conversation.turns)

    async def analyze(self, state: ConversationState, turn: Turn, history: Sequence[Turn]) -> Analysis:
        return self.answer(state, turn)

    def answer(self, state: ConversationState, turn: Turn) -> Analysis:
        """The label of `turn` as an analysis; `state` says which dimensions a question could still be about."""
        label = self._labels[turn.index]
        found = _found(label, confidence=0.9 + 0.1 * (turn.index + 1) / self._turns)
        return Analysis(
            extraction=Extraction(found=found, source=_LABELS),
            question=Question(recommendation=_recommendation(label, state), source=_LABELS),
            expansion=Expansion(triggers=_triggers(label), source=_LABELS),
            guarded=True,
        )

    def fold(self, state: ConversationState, turn: Turn) -> ConversationState:
        """The state after `turn`, as the labels up to it say."""
        advanced = advance(state, turn, self.answer(state, turn))
        told = {"backing_off": self._labels[turn.index].back_off, "probe_key": None, "probe_count": 0}
        return PainDepthTracker.save(advanced, PainDepthTracker.load(advanced).model_copy(update=told))


def _found(label: TurnLabel, confidence: float) -> QualificationState:
    """The labelled dimensions. `confidence` rises from turn to turn: a later word replaces an earlier one,
    which at equal confidence it would not.
    """
    by_dimension: dict[Dimension, list[DimensionLabel]] = {}
    for dimension in label.dimensions:
        by_dimension.setdefault(dimension.dimension, []).append(dimension)
    return qualification_from({key: _signal(key, own, label.turn, confidence) for key, own in by_dimension.items()})


def _signal(dimension: Dimension, labels: Sequence[DimensionLabel], turn: int, confidence: float) -> AnySignal:
    evidence = tuple(Evidence(quote=label.quote, turn=turn) for label in labels)
    values = tuple(label.value for label in labels)
    if dimension is Dimension.DECISION_CRITERIA:
        return ListSignal(values=values, confidence=confidence, evidence=evidence)
    return Signal(value="; ".join(values), confidence=confidence, evidence=evidence)


def _recommendation(label: TurnLabel, state: ConversationState) -> QBSQuestionRecommendation:
    """An acceptable question's type, without wording: labels do not say one.

    A type that does not probe is preferred, because a probe would count as asked although nobody asked it.
    """
    said = {dimension.dimension for dimension in label.dimensions}
    gaps = tuple(gap for gap in state.qualification.gaps if gap not in said)
    pain = next((item.value for item in label.dimensions if item.dimension is Dimension.PAIN), None)
    return QBSQuestionRecommendation(
        question_type=_preferred(label.question_types),
        meddic_bant_target=gaps[0] if gaps else Dimension.CHAMPION,
        voss_delivery=VossDelivery.CALIBRATED_QUESTION,
        suggested_question="",
        rationale="from labels",
        information_gaps=gaps,
        engagement_signal=label.engagement,
        pain_depth=label.pain_depth,
        topic=pain,
    )


def _preferred(types: Sequence[QBSQuestionType]) -> QBSQuestionType:
    return next((kind for kind in types if not kind.probes), types[0])


def _triggers(label: TurnLabel) -> tuple[ExpansionTrigger, ...]:
    return tuple(
        ExpansionTrigger(mentioned_name_or_role=person.mention[:200], context_quote=person.quote)
        for person in label.people
    )
