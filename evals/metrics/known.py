"""What is known of the deal after a turn: all extractions so far, as they were merged, beside all labels so far.

The other figures of extraction judge one turn's findings; these judge what a seller sees, and so the way of merging.
"""

from __future__ import annotations

from evals.metrics.formulas import f1, precision, ratio, recall
from evals.metrics.judged import JudgedTurn
from evals.metrics.metric import FIVE_POINTS, Counted, Metric, Tally
from evals.metrics.wording import held, tokens

_SOURCE = "labels.jsonl, dimensions, and the state after the turn"


def _dimensions(turn: JudgedTurn) -> Counted | None:
    if turn.label is None:
        return None
    known = turn.known.keys()
    counts = {"tp": len(known & turn.said), "fp": len(known - turn.said), "fn": len(turn.said - known)}
    return {part: float(count) for part, count in counts.items()}


def _values(turn: JudgedTurn) -> Counted | None:
    if turn.label is None:
        return None
    counts = {"held": 0.0, "n": 0.0}
    for label in turn.label.dimensions:
        if tokens(label.value):
            known = turn.known.get(label.dimension)
            agreed, of = held(label.value, known.value or "" if known else "")
            counts["held"] += agreed / of
            counts["n"] += 1
    return counts


DIMENSIONS = Tally(name="known.dimensions", parts=("tp", "fp", "fn"), answer="extraction", observe=_dimensions)
VALUES = Tally(name="known.values", parts=("held", "n"), answer="extraction", observe=_values)

F1 = Metric(
    name="known.f1",
    title="Known dimensions, F1",
    direction="higher",
    unit="share",
    formula="2 tp / (2 tp + fp + fn) over turns: dimensions known after the turn, and dimensions said by then",
    source=_SOURCE,
    tally=DIMENSIONS,
    value=f1(),
    margin=FIVE_POINTS,
)
PRECISION = Metric(
    name="known.precision",
    title="Known dimensions, precision",
    direction="higher",
    unit="share",
    formula="known and said / known, over turns",
    source=_SOURCE,
    tally=DIMENSIONS,
    value=precision(),
    margin=FIVE_POINTS,
    detail=True,
)
RECALL = Metric(
    name="known.recall",
    title="Known dimensions, recall",
    direction="higher",
    unit="share",
    formula="known and said / said, over turns",
    source=_SOURCE,
    tally=DIMENSIONS,
    value=recall(),
    margin=FIVE_POINTS,
    detail=True,
)
UP_TO_DATE = Metric(
    name="known.values",
    title="Known values are up to date",
    direction="higher",
    unit="share",
    formula="share of the words and numbers of a label's value that the value known afterwards holds, mean over labels",
    source="evals.metrics.wording; a dimension that is not known holds nothing",
    tally=VALUES,
    value=ratio("held", "n"),
    margin=FIVE_POINTS,
)

METRICS = (F1, PRECISION, RECALL, UP_TO_DATE)
