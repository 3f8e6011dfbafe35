"""The recommendation of the rules: the question chosen, worded, with what was sensed and the chance of an answer."""

from __future__ import annotations

from engine.model.qbs import (
    EngagementSignal,
    PainDepthLevel,
    QBSQuestionRecommendation,
    QBSQuestionType,
    VossDelivery,
)
from engine.rules.choice import Choice, choose
from engine.rules.echo import echo
from engine.rules.sensed import Sensed
from engine.rules.wordings import wording

SHORT_ANSWER = 3  # words

_ANSWERS = {
    EngagementSignal.HIGH_ENERGY: 0.75,
    EngagementSignal.EMOTIONAL_LANGUAGE: 0.7,
    EngagementSignal.FACTUAL: 0.6,
    EngagementSignal.TOPIC_SHIFT: 0.5,
    EngagementSignal.RESISTANT: 0.3,
}


def recommend(sensed: Sensed) -> QBSQuestionRecommendation:
    """The question to ask next, with why, what is missing, and the chance of a substantial answer; unguarded."""
    choice = choose(sensed)
    return QBSQuestionRecommendation(
        question_type=choice.question_type,
        meddic_bant_target=choice.target,
        voss_delivery=choice.delivery,
        suggested_question=_worded(sensed, choice),
        rationale=f"{choice.why}; {_missing(sensed, choice)}.",
        information_gaps=sensed.gaps,
        engagement_signal=sensed.engagement,
        pain_depth=sensed.pain.depth,
        should_probe_deeper=_deeper(sensed),
        natural_stopping_signals=_stopping(sensed),
        confidence=_confidence(sensed, choice.question_type),
        topic=sensed.topic,
    )


def _worded(sensed: Sensed, choice: Choice) -> str:
    mirrors = choice.delivery is VossDelivery.MIRROR
    return wording(
        choice.question_type,
        choice.target,
        choice.delivery,
        asked=sensed.questions_asked,
        count=sensed.interaction,
        echo=echo(sensed.problems) if mirrors else None,
    )


def _missing(sensed: Sensed, choice: Choice) -> str:
    name = str(choice.target).replace("_", " ")
    return f"{name} is missing" if choice.target in sensed.gaps else f"{name} can be made surer"


def _deeper(sensed: Sensed) -> bool:
    named = sensed.depth in (PainDepthLevel.SURFACE, PainDepthLevel.BUSINESS_IMPACT)
    open_ = sensed.engagement.engaged and sensed.depth is not PainDepthLevel.EMOTIONAL
    return not sensed.backing_off and (named or open_)


def _stopping(sensed: Sensed) -> tuple[str, ...]:
    """What in the message says that it is time to stop asking, in words."""
    resistant = sensed.engagement is EngagementSignal.RESISTANT
    signs = (
        (resistant, "does not want to go on with this"),
        (sensed.leaving, "has to go"),
        (_answers_shortly(sensed), "answers in a word or two"),
        (sensed.engagement is EngagementSignal.TOPIC_SHIFT, "turns to something else"),
        (sensed.backing_off and not resistant, "has not opened up since"),
    )
    return tuple(sign for there, sign in signs if there)


def _answers_shortly(sensed: Sensed) -> bool:
    return sensed.heard.seller_asked and sensed.heard.word_count <= SHORT_ANSWER


def _confidence(sensed: Sensed, question_type: QBSQuestionType) -> float:
    """The chance of an answer with substance.

    By engagement (high energy 0.75 to resistant 0.3), 0.04 more for each level of depth this message reached, 0.05
    less for a probe in a first interaction, 0.15 less when the customer has to go, 0.1 less after an answer of a
    word or two. Between 0.05 and 0.95. A prior to be calibrated, not a measurement.
    """
    chance = _ANSWERS[sensed.engagement] + 0.04 * sensed.depth.rank
    chance -= 0.05 * (sensed.interaction == 0 and question_type.probes)
    chance -= 0.15 * sensed.leaving + 0.1 * _answers_shortly(sensed)
    return round(min(0.95, max(0.05, chance)), 2)
