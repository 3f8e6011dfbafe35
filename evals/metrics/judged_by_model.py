"""How good the question is by the judgement of a model: natural, and value first. Without judgements, no figure.

A turn counts with the mean of its repeated judgements, so that asking more often does not make it weigh more. What
such a figure is worth is said by `evals.judge_agreement`, and belongs beside it wherever it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean

from evals.judgements import GOOD, Scale
from evals.metrics.formulas import ratio
from evals.metrics.judged import JudgedTurn
from evals.metrics.metric import FIVE_POINTS, Counted, Margin, Metric, Tally

FAMILY = "judged"
RUBRIC = "evals/prompts/judgement"


def _good(scale: Scale) -> str:
    return f"{scale}_good"


def _ratings(turn: JudgedTurn) -> Counted | None:
    if not turn.judgements:
        return None
    counts = {"n": 1.0}
    for scale in Scale:
        ratings = [judgement.rating(scale) for judgement in turn.judgements]
        counts[scale] = fmean(ratings)
        counts[_good(scale)] = fmean(rating >= GOOD for rating in ratings)
    return counts


RATINGS = Tally(
    name="judged.ratings",
    parts=("n", *Scale, *(_good(scale) for scale in Scale)),
    answer="question",
    observe=_ratings,
)


def _mean(scale: Scale, title: str) -> Metric:
    return Metric(
        name=f"{FAMILY}.{scale}",
        title=f"{title}, judged",
        direction="higher",
        unit="rating",
        formula="mean over the turns of the mean of a turn's judgements, 1 to 4",
        source=f"{RUBRIC}, {scale}; evals.judge_agreement says what it is worth",
        tally=RATINGS,
        value=ratio(scale, "n"),
        margin=Margin(0.15),
    )


def _share(scale: Scale, title: str) -> Metric:
    return Metric(
        name=f"{FAMILY}.{_good(scale)}",
        title=f"{title}, judged {GOOD} or more",
        direction="higher",
        unit="share",
        formula=f"mean over the turns of the share of a turn's judgements that are {GOOD} or more",
        source=f"{RUBRIC}, {scale}; evals.judge_agreement says what it is worth",
        tally=RATINGS,
        value=ratio(_good(scale), "n"),
        margin=FIVE_POINTS,
        detail=True,
    )


NATURALNESS = _mean(Scale.NATURALNESS, "Naturalness")
NATURALNESS_GOOD = _share(Scale.NATURALNESS, "Naturalness")
VALUE_FIRST = _mean(Scale.VALUE_FIRST, "Value first")
VALUE_FIRST_GOOD = _share(Scale.VALUE_FIRST, "Value first")

METRICS = (NATURALNESS, NATURALNESS_GOOD, VALUE_FIRST, VALUE_FIRST_GOOD)

SCALE_OF: Mapping[str, Scale] = {
    NATURALNESS.name: Scale.NATURALNESS,
    NATURALNESS_GOOD.name: Scale.NATURALNESS,
    VALUE_FIRST.name: Scale.VALUE_FIRST,
    VALUE_FIRST_GOOD.name: Scale.VALUE_FIRST,
}
