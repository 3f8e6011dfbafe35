"""What a recommendation may ask: at the customer's pace, one question, in plain words, never twice."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache

from engine import memory
from engine.model.analysis import GuardrailChange, GuardrailRule
from engine.model.conversation import Speaker, Turn
from engine.model.qbs import (
    EngagementSignal,
    PainDepthLevel,
    QBSQuestionRecommendation,
    QBSQuestionType,
    VossDelivery,
)
from engine.model.state import ConversationState
from engine.pain import PainDepthTracker, sense
from engine.wording import first_question_only, jargon, questions, without_jargon

INTERACTIONS_BEFORE_EMOTION = 2

# In the order in which they are applied.
CONDUCT_RULES: tuple[GuardrailRule, ...] = (
    "back_off",
    "emotional_depth",
    "one_question",
    "jargon",
    "repeated_question",
)

NO_CLAIM = 0.5  # confidence of a question that nobody estimated

# Said instead of a probe: value or a check of understanding, at the customer's pace.
GIVE_VALUE = (
    "That's fair, and I won't press it. What would be most useful to you from here?",
    "I hear you. Let me leave that alone: which part of what we've covered so far is worth keeping?",
    "Understood, I'll step back from that. What should I send so that you can judge it in your own time?",
    "No problem, we can park it. Have I got the rest of your situation right so far?",
    "Fair enough. I'll put what I've understood into three lines; would you tell me what I got wrong?",
    "It sounds like I've asked enough about that. What would you like to know from me?",
    "Thanks for being straight with me. Would it be a bad idea to pick this up when the timing is better?",
)
NOTHING_TO_ASK = (
    "No question from me this time. I'll write down what I have understood so far, and you correct what is off."
)

_GOES_EMOTIONAL = re.compile(
    r"\b(?:how (?:do|does|did) (?:that|this|it|you)[^?]{0,30}\bfeel\w*|keeps? you (?:up|awake)|up at night"
    r"|for you personally|toll (?:on|does)|what (?:is|does) (?:that|this|it) doing to you|frustrat\w+|stress\w*)\b",
    re.IGNORECASE,
)


# A rule answers None where it has nothing to change, else the changed recommendation and why.
_Outcome = tuple[QBSQuestionRecommendation, str] | None
_Rule = Callable[[ConversationState, Sequence[Turn], QBSQuestionRecommendation], _Outcome]


def guard_recommendation(
    state: ConversationState,
    history: Sequence[Turn],
    proposed: QBSQuestionRecommendation,
    rules: Collection[GuardrailRule] = CONDUCT_RULES,
) -> tuple[QBSQuestionRecommendation, tuple[GuardrailChange, ...]]:
    """What may be asked, and what was changed: each rule in turn, on what the rule before it left."""
    used, changes = proposed, []
    for name, rule in _RULES.items():
        if name in rules and (outcome := rule(state, history, used)) is not None:
            changed, reason = outcome
            changes.append(
                GuardrailChange(
                    rule=name, subject="question", before=_described(used), after=_described(changed), reason=reason
                )
            )
            used = changed
    return used, tuple(changes)


def _back_off(state: ConversationState, history: Sequence[Turn], used: QBSQuestionRecommendation) -> _Outcome:
    pain = sense(PainDepthTracker.load(state), used.engagement_signal, used.pain_depth)
    if not (used.question_type.probes and PainDepthTracker.should_back_off(pain)):
        return None
    resisted = used.engagement_signal is EngagementSignal.RESISTANT
    reason = "the customer resists" if resisted else "probed enough, and the customer has not opened up"
    return _give_value(state, history, used, reason), reason


def goes_emotional(text: str) -> bool:
    """Whether a message asks what something does to the customer as a person."""
    return _GOES_EMOTIONAL.search(text) is not None


def _emotional_too_early(
    state: ConversationState, history: Sequence[Turn], used: QBSQuestionRecommendation
) -> _Outcome:
    depth = PainDepthTracker.load(state).depth.at_least(used.pain_depth)
    went_there = depth is PainDepthLevel.EMOTIONAL or used.engagement_signal is EngagementSignal.EMOTIONAL_LANGUAGE
    early = state.interaction_count < INTERACTIONS_BEFORE_EMOTION
    if went_there or not early or not goes_emotional(used.suggested_question):
        return None
    reason = "no emotional depth in the first two interactions"
    return _give_value(state, history, used, reason), reason


def _one_question(state: ConversationState, history: Sequence[Turn], used: QBSQuestionRecommendation) -> _Outcome:
    count = len(questions(used.suggested_question))
    if count <= 1:
        return None
    kept = used.model_copy(update={"suggested_question": first_question_only(used.suggested_question)})
    return kept, f"{count} questions in one message"


def _jargon(state: ConversationState, history: Sequence[Turn], used: QBSQuestionRecommendation) -> _Outcome:
    words = jargon(used.suggested_question)
    if not words:
        return None
    plain = without_jargon(used.suggested_question)
    reason = f"the methodology's words: {', '.join(sorted(set(words)))}"
    if plain is None:
        return _give_value(state, history, used, reason), reason
    return used.model_copy(update={"suggested_question": plain}), reason


def _repeated(state: ConversationState, history: Sequence[Turn], used: QBSQuestionRecommendation) -> _Outcome:
    is_question = bool(questions(used.suggested_question))
    if not is_question or memory.fingerprint(used.suggested_question) not in _asked_before(state, history):
        return None
    reason = "already asked in this conversation"
    return _give_value(state, history, used, reason), reason


_RULES: dict[GuardrailRule, _Rule] = dict(
    zip(CONDUCT_RULES, (_back_off, _emotional_too_early, _one_question, _jargon, _repeated), strict=True)
)


def _give_value(
    state: ConversationState, history: Sequence[Turn], used: QBSQuestionRecommendation, reason: str
) -> QBSQuestionRecommendation:
    """The recommendation turned into one that gives value or confirms, with a wording not used before.

    What was said for the original, and how likely its answer was, does not hold for it: the rationale is the reason
    for the change, and the confidence claims nothing.
    """
    before = _asked_before(state, history)
    wording = next((text for text in GIVE_VALUE if memory.fingerprint(text) not in before), NOTHING_TO_ASK)
    return used.model_copy(
        update={
            "question_type": QBSQuestionType.CONFIRMATION,
            "voss_delivery": VossDelivery.LABEL,
            "suggested_question": wording,
            "should_probe_deeper": False,
            "rationale": f"Changed by a guardrail: {reason}.",
            "confidence": NO_CLAIM,
        }
    )


def _asked_before(state: ConversationState, history: Sequence[Turn]) -> frozenset[str]:
    """Fingerprints of what the engine recommended and what the seller really asked."""
    said = (_asked_in(turn.text) for turn in history if turn.speaker is Speaker.SELLER)
    return memory.asked(state).union(*said)


@lru_cache(maxsize=1024)
def _asked_in(text: str) -> frozenset[str]:
    return frozenset(memory.fingerprint(question) for question in questions(text))


def _described(recommendation: QBSQuestionRecommendation) -> str:
    return f"{recommendation.question_type}: {recommendation.suggested_question}"
