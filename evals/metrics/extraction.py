"""What was understood of the deal: which dimensions a turn says something about, their values and their quotes.

Labels say what one turn tells. An extraction may report everything since the first turn, so what it claims about this
turn are the dimensions that it supports with a quote of this turn.
"""

from __future__ import annotations

from engine.model.qualification import Dimension
from evals.inference.resampling import Array
from evals.metrics.formulas import f1, mean_defined, precision, ratio, recall
from evals.metrics.judged import JudgedTurn, identified
from evals.metrics.metric import FIVE_POINTS, Counted, Margin, Metric, Tally, Totals
from evals.metrics.wording import held, numbers, tokens

_ROOT = "labels.jsonl, dimensions"


def _hits(turn: JudgedTurn) -> Counted | None:
    if turn.label is None:
        return None
    said, found = {item.dimension for item in turn.label.dimensions}, turn.claimed.keys()
    counts: dict[str, float] = {}
    for dimension in said | found:
        kind = "tp" if dimension in said and dimension in found else "fn" if dimension in said else "fp"
        for part in (kind, f"{dimension}.{kind}"):
            counts[part] = counts.get(part, 0) + 1
    return counts


def _values(turn: JudgedTurn) -> Counted | None:
    if turn.label is None:
        return None
    counts = {"held": 0.0, "n": 0.0, "numbers_held": 0.0, "numbers": 0.0}
    for dimension, signal in turn.claimed.items():
        for label in turn.label.dimensions:
            if label.dimension is dimension and tokens(label.value):
                agreed, of = held(label.value, signal.value or "")
                counts["held"] += agreed / of
                counts["n"] += 1
                agreed, of = held(numbers(label.value), signal.value or "")
                counts["numbers_held"] += agreed
                counts["numbers"] += of
    return counts


def _quotes(turn: JudgedTurn) -> Counted | None:
    claims = [signal.evidence for signal in identified(turn.proposed.extraction.found).values()]
    verbatim = turn.verbatim
    counts = {
        "verbatim": float(sum((item.quote, item.turn) in verbatim for evidence in claims for item in evidence)),
        "n": float(sum(max(1, len(evidence)) for evidence in claims)),
    }
    return counts if counts["n"] else {}


_KINDS = ("tp", "fp", "fn")
HITS = Tally(
    name="extraction.hits",
    parts=(*_KINDS, *(f"{dimension}.{kind}" for dimension in Dimension for kind in _KINDS)),
    answer="extraction",
    observe=_hits,
)
VALUES = Tally(
    name="extraction.values",
    parts=("held", "n", "numbers_held", "numbers"),
    answer="extraction",
    observe=_values,
)
QUOTES = Tally(name="extraction.quotes", parts=("verbatim", "n"), answer="extraction", observe=_quotes)


def _macro(totals: Totals) -> Array:
    each = totals.stacked(tuple(f"{dimension}.{kind}" for dimension in Dimension for kind in _KINDS))
    tp, fp, fn = (each[..., position::3] for position in range(3))
    return mean_defined(2 * tp / (2 * tp + fp + fn))


def _of_dimension(dimension: Dimension) -> tuple[Metric, ...]:
    name, prefix = dimension.replace("_", " "), f"{dimension}."
    formulas = {
        "precision": (precision(prefix), "tp / (tp + fp)"),
        "recall": (recall(prefix), "tp / (tp + fn)"),
        "f1": (f1(prefix), "2 tp / (2 tp + fp + fn)"),
    }
    return tuple(
        Metric(
            name=f"extraction.{dimension}.{kind}",
            title=f"{name.capitalize()}, {'F1' if kind == 'f1' else kind}",
            direction="higher",
            unit="share",
            formula=written,
            source=_ROOT,
            tally=HITS,
            value=value,
            margin=FIVE_POINTS,
            detail=True,
        )
        for kind, (value, written) in formulas.items()
    )


PRECISION = Metric(
    name="extraction.precision",
    title="Dimensions, precision",
    direction="higher",
    unit="share",
    formula="tp / (tp + fp) over all dimensions and turns",
    source=_ROOT,
    tally=HITS,
    value=precision(),
    margin=FIVE_POINTS,
)
RECALL = Metric(
    name="extraction.recall",
    title="Dimensions, recall",
    direction="higher",
    unit="share",
    formula="tp / (tp + fn) over all dimensions and turns",
    source=_ROOT,
    tally=HITS,
    value=recall(),
    margin=FIVE_POINTS,
)
F1 = Metric(
    name="extraction.f1",
    title="Dimensions, F1",
    direction="higher",
    unit="share",
    formula="2 tp / (2 tp + fp + fn) over all dimensions and turns",
    source=_ROOT,
    tally=HITS,
    value=f1(),
    margin=FIVE_POINTS,
)
MACRO_F1 = Metric(
    name="extraction.macro_f1",
    title="Dimensions, mean F1",
    direction="higher",
    unit="share",
    formula="mean of the dimensions' F1; one neither labelled nor claimed is left out",
    source=_ROOT,
    tally=HITS,
    value=_macro,
    margin=FIVE_POINTS,
    detail=True,
)
VALUE_AGREEMENT = Metric(
    name="extraction.value_agreement",
    title="Agreement of values",
    direction="higher",
    unit="share",
    formula="share of the words and numbers of a label's value that the claimed value holds, mean over labelled values",
    source="evals.metrics.wording; one-sided, since an extraction reports what was said before this turn as well",
    tally=VALUES,
    value=ratio("held", "n"),
    margin=FIVE_POINTS,
)
NUMBERS = Metric(
    name="extraction.numbers",
    title="Agreement of numbers",
    direction="higher",
    unit="share",
    formula="numbers of the label's value that the claimed value holds / numbers",
    source="evals.metrics.wording, numbers as engine.rules.numbers reads them",
    tally=VALUES,
    value=ratio("numbers_held", "numbers"),
    margin=FIVE_POINTS,
    detail=True,
)
VERBATIM = Metric(
    name="extraction.verbatim",
    title="Evidence that is a verbatim quote",
    direction="higher",
    unit="share",
    formula="quotes found in one customer turn / quotes; a value without any quote counts as one that is not found",
    source="engine.guardrails.grounding",
    tally=QUOTES,
    value=ratio("verbatim", "n"),
    margin=Margin(0.01),
    of="proposed",
)

METRICS = (
    F1,
    PRECISION,
    RECALL,
    MACRO_F1,
    *(metric for dimension in Dimension for metric in _of_dimension(dimension)),
    VALUE_AGREEMENT,
    NUMBERS,
    VERBATIM,
)
