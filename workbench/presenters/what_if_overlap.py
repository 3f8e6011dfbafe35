"""How far what was asked covers what would have been asked: weights, what they leave, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evals.learning.off_policy import LeftOut, Overlap
from workbench.presenters.calibration_table import Heading, Line, table
from workbench.presenters.words import Word

LEFT_OUT: Mapping[str, Word] = {
    "pending": Word("still pending", "The window is open: nobody knows yet."),
    "superseded": Word("superseded", "A newer question took its place before anything came of it."),
    "not_sent": Word("never sent", "The customer did not see the question."),
    "early": Word(
        "too new",
        "Answered already, in windows that have not all been looked at: the silent ones beside them are not known yet, "
        "so that these would make the rate too high.",
    ),
    "no_propensity": Word("without a probability", "Not chosen at random, or nobody wrote down how probable it was."),
    "unlike": Word("contradicting themselves", "The question's probability is not the one that its choices say."),
    "unmatched": Word("not spoken of", "The policy says nothing of these turns."),
}
_OUTCOMES = Word("Resolved outcomes", "Those whose question was chosen with a known probability.")
_USED = Word("asked as it would have", "Outcomes with a weight above 0: only these say anything by themselves.")
_EFFECTIVE = Word(
    "say as much as",
    "The effective sample size, (Σ weight)² / Σ weight²: how many unweighted outcomes would tell as much. It takes 50.",
)
_CONVERSATIONS = Word("as conversations", "The same of weights added up by conversation. It takes 30.")
_LARGEST = Word(
    "Largest weight", "How much one outcome counts at most. One that counts for many makes the figure shaky."
)
_MEAN = Word("Mean weight", "Near 1 less what is outside, if the probabilities are right.")
_OUTSIDE = Word(
    "Outside",
    "The share of what it would have asked that could not have been asked at those turns. Up to 5 % is borne.",
)

_TOP = "#2a80c2"
_QUIET = "#8a94a6"


def overlap_table(found: Overlap) -> str:
    """What the weights leave to say."""
    outside = "not known" if found.outside is None else f"{100 * found.outside:.1f} %"
    mean = f"{found.mean_weight:.2f}"
    if found.mean_weight_low is not None and found.mean_weight_high is not None:
        mean += f" ({found.mean_weight_low:.2f} to {found.mean_weight_high:.2f})"
    rows = (
        (_OUTCOMES, f"{found.outcomes:,}", ""),
        (_USED, f"{found.used:,}", "part"),
        (_EFFECTIVE, f"{found.effective:,.0f}", "part"),
        (_CONVERSATIONS, f"{found.effective_conversations:,.0f}", "part"),
        (_LARGEST, f"{found.max_weight:.1f}", ""),
        (_MEAN, mean, ""),
        (_OUTSIDE, outside, ""),
    )
    headings = [
        Heading(
            "What the weights leave",
            "A weight is how much more likely the policy asks so than the log did.",
            words=True,
        ),
        Heading(""),
    ]
    return table(headings, [Line([word.name, value], word.meaning, kind) for word, value, kind in rows])


def weights_chart(found: Overlap) -> dict[str, Any]:
    """How many outcomes have which weight; those of weight 0 say nothing by themselves."""
    rows = [
        {"Weight": weight_name(own.low, own.high), "Outcomes": own.count, "says": own.high != 0}
        for own in found.weights
    ]
    while rows and not rows[-1]["Outcomes"]:
        rows.pop()
    return {
        "height": 200,
        "data": {"values": rows},
        "mark": {"type": "bar"},
        "encoding": {
            "x": {
                "field": "Weight",
                "type": "nominal",
                "sort": [row["Weight"] for row in rows],
                "axis": {"labelAngle": 0, "title": "Weight"},
            },
            "y": {"field": "Outcomes", "type": "quantitative", "axis": {"format": ",d", "tickCount": 4}},
            "color": {"condition": {"test": "datum.says", "value": _TOP}, "value": _QUIET},
            "tooltip": [{"field": "Weight"}, {"field": "Outcomes", "format": ","}],
        },
        "config": {"view": {"stroke": None}},
    }


def weights_described(found: Overlap) -> str:
    """The chart in words, for those who do not see it."""
    return "; ".join(f"weight {weight_name(own.low, own.high)}: {own.count:,}" for own in found.weights if own.count)


def weight_name(low: float, high: float | None) -> str:
    if high == 0:
        return "0"
    return f"over {low:g}" if high is None else f"to {high:g}"


def left_out_table(left_out: LeftOut) -> str:
    """Every kind that was left out, with how many; empty if nothing was."""
    lines = [
        Line([word.name, f"{number:,}"], word.meaning)
        for name, word in LEFT_OUT.items()
        if (number := getattr(left_out, name))
    ]
    return table([Heading("Left out, as", words=True), Heading("Outcomes")], lines) if lines else ""
