"""How the proposed message behaves: one question, value before probing, plain words, at the customer's pace.

Judged on what was proposed: the guardrails change most of it before it is used (see `operations.guardrails`).
"""

from __future__ import annotations

from functools import lru_cache

from engine.guardrails.conduct import INTERACTIONS_BEFORE_EMOTION, goes_emotional
from engine.model.qbs import EngagementSignal, PainDepthLevel, QBSQuestionRecommendation, QBSQuestionType, VossDelivery
from engine.model.qualification import Dimension
from engine.wording import ECHO_WORDS, jargon, questions, sentences
from evals.metrics.formulas import ratio
from evals.metrics.judged import JudgedTurn
from evals.metrics.metric import A_TENTH, Counted, Margin, Metric, Tally


def _message(turn: JudgedTurn) -> QBSQuestionRecommendation:
    return turn.proposed.question.recommendation


def _asked(turn: JudgedTurn) -> Counted | None:
    asked = len(questions(_message(turn).suggested_question))
    return {"questions": float(asked), "n": 1.0} if asked else {}


def probes_without_value(message: QBSQuestionRecommendation) -> bool:
    """Whether a message digs into the customer's pain and gives nothing before it asks.

    Value is a mirror, or a sentence of more than an echo that does not ask: a label, an insight, an answer.
    """
    if not message.question_type.probes or not message.suggested_question:
        return False
    return message.voss_delivery is not VossDelivery.MIRROR and not _tells(message.suggested_question)


@lru_cache(maxsize=1024)
def _tells(text: str) -> bool:
    """Whether any sentence of more than an echo does not ask. Every later turn of a conversation looks at it again."""
    asked = set(questions(text))
    told = (sentence for sentence in sentences(text) if sentence not in asked)
    return any(len(own.split()) > ECHO_WORDS for own in told)


def _run(turn: JudgedTurn) -> Counted | None:
    """How much this turn lengthens the longest run of its conversation, so that the sum is that run."""
    longest = current = 0
    for before in turn.earlier:
        if before.counts("question"):
            current = current + 1 if probes_without_value(_message(before)) else 0
            longest = max(longest, current)
    current = current + 1 if probes_without_value(_message(turn)) else 0
    return {"longest": float(max(0, current - longest)), "conversations": turn.share_of_conversation}


def _jargon(turn: JudgedTurn) -> Counted | None:
    text = _message(turn).suggested_question
    return {"jargon": float(bool(jargon(text))), "n": 1.0} if text else {}


def _early_emotion(turn: JudgedTurn) -> Counted | None:
    if turn.label is None:
        return None
    went_there = (
        turn.label.pain_depth is PainDepthLevel.EMOTIONAL
        or turn.label.engagement is EngagementSignal.EMOTIONAL_LANGUAGE
    )
    text = _message(turn).suggested_question
    if went_there or not text or turn.record.before.interaction_count >= INTERACTIONS_BEFORE_EMOTION:
        return {}
    return {"emotional": float(goes_emotional(text)), "n": 1.0}


def _premature_solution(turn: JudgedTurn) -> Counted | None:
    if turn.label is None:
        return None
    if turn.said & {Dimension.NEED, Dimension.PAIN}:
        return {}
    return {"solution": float(_message(turn).question_type is QBSQuestionType.SOLUTION), "n": 1.0}


ASKED = Tally(name="conduct.asked", parts=("questions", "n"), answer="question", observe=_asked)
RUNS = Tally(name="conduct.runs", parts=("longest", "conversations"), answer="question", observe=_run)
WORDS = Tally(name="conduct.words", parts=("jargon", "n"), answer="question", observe=_jargon)
EMOTION = Tally(name="conduct.emotion", parts=("emotional", "n"), answer="question", observe=_early_emotion)
SOLUTION = Tally(name="conduct.solution", parts=("solution", "n"), answer="question", observe=_premature_solution)

TWO_POINTS = Margin(0.02)

QUESTIONS_PER_MESSAGE = Metric(
    name="conduct.questions_per_message",
    title="Questions per message",
    direction="lower",
    unit="count",
    formula="questions / messages that ask; 1 is the best there is",
    source="engine.wording: a short echo is no question",
    tally=ASKED,
    value=ratio("questions", "n"),
    margin=Margin(0.05),
    of="proposed",
)
PROBE_RUN = Metric(
    name="conduct.probe_run",
    title="Longest run of probes without value",
    direction="lower",
    unit="count",
    formula="messages in a row that probe and give nothing, the longest run of each conversation, mean",
    source="evals.metrics.conduct.probes_without_value; a conversation answered in part counts in part",
    tally=RUNS,
    value=ratio("longest", "conversations"),
    margin=A_TENTH,
    of="proposed",
)
JARGON = Metric(
    name="conduct.jargon",
    title="Messages with the methodology's words",
    direction="lower",
    unit="share",
    formula="messages with jargon / messages",
    source="engine.wording",
    tally=WORDS,
    value=ratio("jargon", "n"),
    margin=TWO_POINTS,
    of="proposed",
)
EARLY_EMOTION = Metric(
    name="conduct.early_emotion",
    title="Emotional depth before its time",
    direction="lower",
    unit="share",
    formula="messages that ask about feelings / messages in the first two interactions, before the customer went there",
    source="engine.guardrails.conduct; labels.jsonl, pain_depth and engagement",
    tally=EMOTION,
    value=ratio("emotional", "n"),
    margin=TWO_POINTS,
    of="proposed",
)
PREMATURE_SOLUTION = Metric(
    name="conduct.premature_solution",
    title="Solution questions before any need",
    direction="lower",
    unit="share",
    formula="solution questions / turns at which the labels have named neither a need nor a pain so far",
    source="labels.jsonl, dimensions",
    tally=SOLUTION,
    value=ratio("solution", "n"),
    margin=TWO_POINTS,
    of="proposed",
)

METRICS = (QUESTIONS_PER_MESSAGE, PROBE_RUN, JARGON, EARLY_EMOTION, PREMATURE_SOLUTION)
