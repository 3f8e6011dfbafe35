"""Type, target and delivery of the next question, by what is missing, where the energy is, and what was just said."""

from __future__ import annotations

from typing import NamedTuple

from engine.model.conversation import DealStage
from engine.model.qbs import EngagementSignal, PainDepthLevel, QBSQuestionType, VossDelivery
from engine.model.qualification import Dimension
from engine.rules.seed import USEFUL, WELL_KNOWN
from engine.rules.sensed import Sensed
from engine.rules.wordings import has_fresh

EARLY = 2  # interactions in which a customer is heard out first, and not asked for consequences, money or signatures
STALE_PROBES = 2  # probes with one key, after which another target is tried

_LATE = frozenset({DealStage.NEGOTIATION, DealStage.CLOSED_WON, DealStage.CLOSED_LOST})
_WHO_DECIDES = frozenset({Dimension.DECISION_PROCESS, Dimension.AUTHORITY, Dimension.ECONOMIC_BUYER})
NOT_EARLY = _WHO_DECIDES | {Dimension.BUDGET, Dimension.CHAMPION}
# What may be asked of somebody who does not want to be asked: what they want from us.
_UNDEMANDING = (Dimension.NEED, Dimension.DECISION_PROCESS, Dimension.DECISION_CRITERIA, Dimension.TIMELINE)
# What follows naturally from what was just spoken of.
_FOLLOWS: dict[Dimension, tuple[Dimension, ...]] = {
    Dimension.BUDGET: (Dimension.TIMELINE, Dimension.AUTHORITY, Dimension.ECONOMIC_BUYER),
    Dimension.AUTHORITY: (Dimension.DECISION_PROCESS, Dimension.ECONOMIC_BUYER, Dimension.CHAMPION),
    Dimension.ECONOMIC_BUYER: (Dimension.DECISION_PROCESS, Dimension.CHAMPION, Dimension.METRICS),
    Dimension.DECISION_PROCESS: (Dimension.TIMELINE, Dimension.CHAMPION, Dimension.AUTHORITY),
    Dimension.DECISION_CRITERIA: (Dimension.NEED, Dimension.METRICS, Dimension.DECISION_PROCESS),
    Dimension.NEED: (Dimension.PAIN, Dimension.DECISION_CRITERIA, Dimension.TIMELINE),
    Dimension.TIMELINE: (Dimension.NEED, Dimension.DECISION_PROCESS, Dimension.DECISION_CRITERIA),
    Dimension.METRICS: (Dimension.PAIN, Dimension.DECISION_CRITERIA, Dimension.ECONOMIC_BUYER),
    Dimension.PAIN: (Dimension.METRICS, Dimension.NEED, Dimension.DECISION_CRITERIA),
    Dimension.CHAMPION: (Dimension.DECISION_PROCESS, Dimension.AUTHORITY),
}
_MAINLY_FOR = {
    QBSQuestionType.PAIN_FUNNEL: Dimension.PAIN,
    QBSQuestionType.IMPACT: Dimension.METRICS,
    QBSQuestionType.SOLUTION: Dimension.DECISION_CRITERIA,
}
_SO_FAR = {
    PainDepthLevel.NOT_EXPLORED: (QBSQuestionType.PAIN_FUNNEL, "No problem named so far: make it easy to name one"),
    PainDepthLevel.SURFACE: (QBSQuestionType.IMPACT, "A problem is known, what follows from it is not"),
    PainDepthLevel.BUSINESS_IMPACT: (QBSQuestionType.SOLUTION, "The consequences are known: turn to what would help"),
    PainDepthLevel.EMOTIONAL: (QBSQuestionType.CONFIRMATION, "It has been said what it does to people: earn a step"),
}


class Choice(NamedTuple):
    """What to ask next, and why."""

    question_type: QBSQuestionType
    target: Dimension
    delivery: VossDelivery
    why: str


def choose(sensed: Sensed) -> Choice:
    """The next question, without its wording."""
    question_type, why = _type(sensed)
    return Choice(question_type, _target(sensed, question_type), _delivery(sensed, question_type), why)


def _type(sensed: Sensed) -> tuple[QBSQuestionType, str]:
    """The type of question and why, by the first rule that applies."""
    if sensed.backing_off:
        held_back = sensed.engagement is EngagementSignal.RESISTANT
        why = "The customer holds back" if held_back else "The customer has not opened up since"
        return QBSQuestionType.CONFIRMATION, f"{why}, so no digging: give value and check"
    if sensed.leaving and not sensed.problems:
        return QBSQuestionType.CONFIRMATION, "The customer has to go: keep it light and agree how to go on"
    if sensed.engagement is EngagementSignal.EMOTIONAL_LANGUAGE:
        return QBSQuestionType.CONFIRMATION, "Feelings were shown: take them in before anything else"
    if sensed.asks_about_the_offer and not sensed.problems:
        return QBSQuestionType.SOLUTION, "The customer asks about the offer: tie it to what they need"
    if sensed.heard.state.deal_stage in _LATE:
        return _late(sensed)
    return _by_depth(sensed) or _by_subject(sensed)


def _late(sensed: Sensed) -> tuple[QBSQuestionType, str]:
    if Dimension.DECISION_CRITERIA in sensed.found or Dimension.NEED in sensed.found:
        return QBSQuestionType.SOLUTION, "Terms are on the table: work out what would satisfy them"
    return QBSQuestionType.CONFIRMATION, "Late in the deal: check understanding, agree the next step"


def _by_depth(sensed: Sensed) -> tuple[QBSQuestionType, str] | None:
    """One step on from where this message went; None if it named no problem."""
    if sensed.depth is PainDepthLevel.BUSINESS_IMPACT:
        if sensed.confidence_in(Dimension.METRICS) < WELL_KNOWN:
            return QBSQuestionType.IMPACT, "Consequences were named: get their size"
        return QBSQuestionType.SOLUTION, "The consequences have a size: ask what would have to be solved"
    if sensed.depth is PainDepthLevel.SURFACE:
        if sensed.interaction < EARLY:
            return QBSQuestionType.PAIN_FUNNEL, "A problem was named: hear more of it first"
        return QBSQuestionType.IMPACT, "A problem was named: ask what follows from it"
    return None


def _by_subject(sensed: Sensed) -> tuple[QBSQuestionType, str]:
    """By what was spoken of instead of a problem; if nothing helps, by where the conversation stands."""
    if sensed.found.keys() & _WHO_DECIDES:
        return QBSQuestionType.CONFIRMATION, "The customer speaks of how it is decided: follow, and check"
    if Dimension.DECISION_CRITERIA in sensed.found:
        return QBSQuestionType.SOLUTION, "The customer names what matters: follow that"
    if sensed.pain.depth is PainDepthLevel.EMOTIONAL and _asked_last(sensed, QBSQuestionType.CONFIRMATION):
        return QBSQuestionType.SOLUTION, "Understanding was checked: turn to what would help"
    return _SO_FAR[sensed.pain.depth]


def _asked_last(sensed: Sensed, question_type: QBSQuestionType) -> bool:
    return (sensed.pain.probe_key or "").startswith(f"{question_type}:")


def _target(sensed: Sensed, question_type: QBSQuestionType) -> Dimension:
    """What is still open: what the type is mainly for, then what follows from what was just said, then what is useful.

    Gaps come before what is only not sure yet. Left out is what was just dodged, has been probed twice in vain, comes
    too early, or has no question left that was not asked.
    """
    if sensed.engagement is EngagementSignal.EMOTIONAL_LANGUAGE and not sensed.backing_off:
        return Dimension.PAIN
    order = [d for d in _order(sensed, question_type) if not _is_stale(sensed, question_type, d)]
    fresh = [d for d in order if has_fresh(question_type, d, sensed.questions_asked)] or order
    fitting = [d for d in fresh if d not in _left_out(sensed)] or fresh
    gaps = [d for d in fitting if d in sensed.gaps]
    unsure = [d for d in fitting if sensed.confidence_in(d) < WELL_KNOWN]
    main = [d for d in unsure if d is _MAINLY_FOR.get(question_type)]
    return next(iter((*main, *gaps, *unsure, *fitting)), USEFUL[question_type][0])


def _order(sensed: Sensed, question_type: QBSQuestionType) -> tuple[Dimension, ...]:
    if sensed.backing_off or sensed.leaving:
        return _UNDEMANDING if sensed.backing_off else (Dimension.DECISION_PROCESS, *_UNDEMANDING)
    useful = USEFUL[question_type]
    follows = [d for spoken_of in sensed.found for d in _FOLLOWS[spoken_of] if d in useful[: len(useful) // 2 + 1]]
    return tuple(dict.fromkeys((*follows, *useful)))


def _left_out(sensed: Sensed) -> frozenset[Dimension]:
    dodged = sensed.heard.asked if sensed.engagement is EngagementSignal.RESISTANT else frozenset()
    early = NOT_EARLY if sensed.interaction < EARLY and not sensed.found.keys() & NOT_EARLY else frozenset()
    return dodged | early


def _is_stale(sensed: Sensed, question_type: QBSQuestionType, target: Dimension) -> bool:
    pain = sensed.pain
    in_vain = pain.probe_count >= STALE_PROBES and not pain.opened_up
    return in_vain and pain.probe_key == f"{question_type}:{target}"


def _delivery(sensed: Sensed, question_type: QBSQuestionType) -> VossDelivery:
    if sensed.backing_off:
        return VossDelivery.ACCUSATION_AUDIT
    if sensed.engagement is EngagementSignal.EMOTIONAL_LANGUAGE:
        return VossDelivery.MIRROR
    if sensed.problems and (sensed.engagement.engaged or question_type is QBSQuestionType.PAIN_FUNNEL):
        return VossDelivery.MIRROR
    if question_type is QBSQuestionType.PAIN_FUNNEL and sensed.interaction > 0:
        return VossDelivery.LABEL
    return VossDelivery.CALIBRATED_QUESTION
