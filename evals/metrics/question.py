"""Whether the recommended question fits: its type and target, what was sensed, backing off, asking twice."""

from __future__ import annotations

from itertools import product

from engine import memory
from engine.model.conversation import Speaker
from engine.model.qbs import EngagementSignal, PainDepthLevel, QBSQuestionType
from engine.model.qualification import Dimension
from engine.pain import PainDepthTracker, sense
from engine.wording import questions
from evals.metrics.formulas import accuracy, f1, macro_f1, precision, quadratic_kappa, ratio, recall
from evals.metrics.judged import JudgedTurn
from evals.metrics.metric import FIVE_POINTS, Counted, Margin, Metric, Tally

NEARLY_THE_SAME = 0.8  # share of the words of both questions that they have in common


def _type(turn: JudgedTurn) -> Counted | None:
    if turn.label is None:
        return None
    return {"right": float(turn.recommendation.question_type in turn.label.question_types), "n": 1.0}


def open_gaps(turn: JudgedTurn) -> frozenset[Dimension]:
    """The dimensions a question could still be about: what the labels have not heard of so far.

    Pain stays open until it has been explored to the emotional depth, since a question may take it deeper.
    """
    deep = turn.label is not None and turn.label.pain_depth is PainDepthLevel.EMOTIONAL
    return frozenset(Dimension) - (turn.said if deep else turn.said - {Dimension.PAIN})


def _target(turn: JudgedTurn) -> Counted | None:
    if turn.label is None:
        return None
    gaps = open_gaps(turn)
    if turn.recommendation.question_type is QBSQuestionType.CONFIRMATION:
        return {}
    return {"gap": float(turn.recommendation.meddic_bant_target in gaps), "n": 1.0} if gaps else {}


def _engagement(turn: JudgedTurn) -> Counted | None:
    return None if turn.label is None else {_cell(turn.label.engagement, turn.recommendation.engagement_signal): 1.0}


def _depth(turn: JudgedTurn) -> Counted | None:
    return None if turn.label is None else {_cell(turn.label.pain_depth, turn.recommendation.pain_depth): 1.0}


def backs_off(turn: JudgedTurn) -> bool:
    """Whether the engine backs off at this turn: as the guardrail decides, before its own question counts."""
    sensed = turn.recommendation
    pain = sense(PainDepthTracker.load(turn.record.before), sensed.engagement_signal, sensed.pain_depth)
    return PainDepthTracker.should_back_off(pain)


def _back_off(turn: JudgedTurn) -> Counted | None:
    if turn.label is None:
        return None
    should, does = turn.label.back_off, backs_off(turn)
    if not (should or does):
        return {}
    return {"tp" if should and does else "fn" if should else "fp": 1.0}


def _repetition(turn: JudgedTurn) -> Counted | None:
    asked = questions(turn.proposed.question.recommendation.suggested_question)
    if not asked:
        return {}
    said = (seller.text for seller in turn.conversation.before(turn.record.turn) if seller.speaker is Speaker.SELLER)
    recommended = (before.recommendation.suggested_question for before in turn.earlier if before.counts("question"))
    earlier = [memory.words(question) for text in (*said, *recommended) for question in questions(text)]
    return {"repeated": float(any(_nearly_same(memory.words(one), earlier) for one in asked)), "n": 1.0}


def _nearly_same(words: frozenset[str], earlier: list[frozenset[str]]) -> bool:
    return any(len(words & other) >= NEARLY_THE_SAME * len(words | other) for other in earlier)


def _cell(labelled: str, claimed: str) -> str:
    return f"{labelled}|{claimed}"


def _table(values: type[EngagementSignal] | type[PainDepthLevel]) -> tuple[str, ...]:
    """The cells of a confusion table, the labelled value first."""
    return tuple(_cell(labelled, claimed) for labelled, claimed in product(values, values))


TYPE = Tally(name="question.types", parts=("right", "n"), answer="question", observe=_type)
TARGET = Tally(name="question.targets", parts=("gap", "n"), answer="question", observe=_target)
ENGAGEMENT = Tally(name="question.engagements", parts=_table(EngagementSignal), answer="question", observe=_engagement)
DEPTH = Tally(name="question.depths", parts=_table(PainDepthLevel), answer="question", observe=_depth)
BACK_OFF = Tally(name="question.back_offs", parts=("tp", "fp", "fn"), answer="question", observe=_back_off)
REPETITION = Tally(name="question.repetitions", parts=("repeated", "n"), answer="question", observe=_repetition)

TYPE_ACCEPTABLE = Metric(
    name="question.type",
    title="Question type acceptable",
    direction="higher",
    unit="share",
    formula="turns whose type is among the acceptable ones / turns",
    source="labels.jsonl, question_types",
    tally=TYPE,
    value=ratio("right", "n"),
    margin=FIVE_POINTS,
)
TARGET_IS_A_GAP = Metric(
    name="question.target",
    title="Question target is a real gap",
    direction="higher",
    unit="share",
    formula=(
        "questions whose target no label has named so far / questions, but for confirmations, which are about what is"
        " known; pain counts as a gap until emotional depth"
    ),
    source="labels.jsonl, dimensions and pain_depth",
    tally=TARGET,
    value=ratio("gap", "n"),
    margin=FIVE_POINTS,
)
ENGAGEMENT_ACCURACY = Metric(
    name="question.engagement",
    title="Engagement, accuracy",
    direction="higher",
    unit="share",
    formula="turns with the labelled engagement / turns",
    source="labels.jsonl, engagement",
    tally=ENGAGEMENT,
    value=accuracy(len(EngagementSignal)),
    margin=FIVE_POINTS,
)
ENGAGEMENT_MACRO_F1 = Metric(
    name="question.engagement_macro_f1",
    title="Engagement, mean F1",
    direction="higher",
    unit="share",
    formula="mean of the signals' F1; one neither labelled nor claimed is left out",
    source="labels.jsonl, engagement",
    tally=ENGAGEMENT,
    value=macro_f1(len(EngagementSignal)),
    margin=FIVE_POINTS,
)
PAIN_DEPTH = Metric(
    name="question.pain_depth",
    title="Pain depth, quadratic weighted kappa",
    direction="higher",
    unit="score",
    formula="1 - sum(d^2 observed) / sum(d^2 expected) over the four depths",
    source='J. Cohen, "Weighted kappa", Psychological Bulletin 70 (1968)',
    tally=DEPTH,
    value=quadratic_kappa(len(PainDepthLevel)),
    margin=FIVE_POINTS,
)
BACK_OFF_PRECISION = Metric(
    name="question.back_off_precision",
    title="Backing off, precision",
    direction="higher",
    unit="share",
    formula="backed off rightly / backed off",
    source="labels.jsonl, back_off; engine.pain",
    tally=BACK_OFF,
    value=precision(),
    margin=FIVE_POINTS,
)
BACK_OFF_RECALL = Metric(
    name="question.back_off_recall",
    title="Backing off, recall",
    direction="higher",
    unit="share",
    formula="backed off rightly / turns at which probing would be wrong",
    source="labels.jsonl, back_off; engine.pain",
    tally=BACK_OFF,
    value=recall(),
    margin=FIVE_POINTS,
)
BACK_OFF_F1 = Metric(
    name="question.back_off_f1",
    title="Backing off, F1",
    direction="higher",
    unit="share",
    formula="2 tp / (2 tp + fp + fn)",
    source="labels.jsonl, back_off; engine.pain",
    tally=BACK_OFF,
    value=f1(),
    margin=FIVE_POINTS,
    detail=True,
)
REPEATED = Metric(
    name="question.repetition",
    title="Questions asked before",
    direction="lower",
    unit="share",
    formula=f"questions sharing {NEARLY_THE_SAME:.0%} of their words with one asked or recommended before / questions",
    source="a question is never asked twice in a conversation",
    tally=REPETITION,
    value=ratio("repeated", "n"),
    margin=Margin(0.02),
    of="proposed",
)

METRICS = (
    TYPE_ACCEPTABLE,
    TARGET_IS_A_GAP,
    ENGAGEMENT_ACCURACY,
    ENGAGEMENT_MACRO_F1,
    PAIN_DEPTH,
    BACK_OFF_PRECISION,
    BACK_OFF_RECALL,
    BACK_OFF_F1,
    REPEATED,
)
