"""Who said how likely an answer is, of which question, and what came: a line for each cell, with what was fitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evals.learning.calibration.reliability import Bin
from workbench.presenters.calibration_table import Heading, Line, table
from workbench.presenters.calibration_words import ESTIMATORS, METHODS, cell_name, p_value
from workbench.presenters.figures import UNKNOWN, percent
from workbench.text import count

_GAIN = "Less log loss a claim, out of fold, than what holds above it; above 0 is better."
_P = "How often luck alone would show such a gain, adjusted for all cells of the level (Holm). Below 0.10 counts."


@dataclass(frozen=True, slots=True)
class CellSeen:
    """All claims of a cell as one bin; `level` 0 is who said it, 1 with the action, 2 with target and delivery."""

    cell: str
    level: int
    claims: Bin


def cells_table(seen: Sequence[CellSeen], fitted: Sequence[Mapping[str, Any]], came: str) -> str:
    """The cells, those above before those below; `fitted` is the report's account of them, empty if nothing was."""
    told = {own["cell"]: own for own in fitted}
    headings = [
        Heading("Who said it, and of what", "A cell. Hover over one for what it means.", words=True),
        Heading("Outcomes", "Resolved ones. Below it the conversations that they are of."),
        Heading("Said", "Mean confidence."),
        Heading(came.capitalize(), "The share, and below it its 95 % interval, by conversation."),
    ]
    if told:
        headings += [
            Heading("Method", "What was tried on it, the best out of fold.", words=True, narrow=True),
            Heading("Gain", _GAIN, narrow=True),
            Heading("p", _P, narrow=True),
            Heading("Corrected", "Yes where that is proven; else what holds above it holds here.", words=True),
        ]
    ordered = sorted(seen, key=lambda own: own.cell.split("/"))
    return table(headings, [_line(own, told.get(own.cell), with_fit=bool(told)) for own in ordered])


def too_small(report: Mapping[str, Any] | None) -> str:
    """How many cells have too little; empty if nothing was fitted, or none has."""
    missing = report.get("cells_with_too_little", 0) if report else 0
    return f"{count(missing, 'cell')} with too little of their own: what holds above holds there." if missing else ""


def verdict(report: Mapping[str, Any]) -> str:
    """Whether a correction is offered, and why."""
    gain = report["gain"]
    if not report["offered"] or gain is None:
        return f"Nothing is corrected: {report['reason']}."
    around = "" if gain["low"] is None else f" ({gain['low']:.4f} to {gain['high']:.4f})"
    return (
        f"A correction is offered: {report['reason']}. Log loss {gain['without']:.4f} becomes {gain['corrected']:.4f}, "
        f"a gain of {gain['gain']:.4f}{around}."
    )


def methods_tried(outcomes: int) -> str:
    """Which methods an amount of data allows."""
    if outcomes < 50:
        return "Below 50 outcomes only one shift is tried."
    tried = "sigmoid and beta" if outcomes < 1_000 else "sigmoid, beta and isotonic"
    return f"With {outcomes:,} outcomes {tried} are tried, and the best out of fold is taken; folds by conversation."


def _line(seen: CellSeen, fitted: Mapping[str, Any] | None, *, with_fit: bool) -> Line:
    own = seen.claims
    cells: list[str | tuple[str, str]] = [
        cell_name(seen.cell),
        (f"{own.n:,}", f"{own.conversations:,} conv."),
        percent(own.confidence),
        (percent(own.share), f"{percent(own.low)} to {percent(own.high)}"),
    ]
    if with_fit:
        cells += _fitted(fitted)
    return Line(cells, _meaning(seen, fitted), "part" if seen.level else "strong")


def _fitted(fitted: Mapping[str, Any] | None) -> list[str | tuple[str, str]]:
    if fitted is None or fitted["method"] is None:
        return [UNKNOWN, UNKNOWN, UNKNOWN, "no, too few"]
    method = METHODS[fitted["method"]].name if fitted["method"] in METHODS else fitted["method"]
    gain = fitted["gain"]["gain"] if fitted["gain"] else None
    return [
        method,
        UNKNOWN if gain is None else f"{gain:+.4f}",
        p_value(fitted["p"]) or UNKNOWN,
        "✓ yes" if fitted["offered"] else "no",
    ]


def _meaning(seen: CellSeen, fitted: Mapping[str, Any] | None) -> str:
    estimator = seen.cell.split("/")[0]
    parts = [ESTIMATORS[estimator].meaning] if estimator in ESTIMATORS else []
    if fitted is not None:
        parts.append(f"{fitted['reason'].capitalize()}.")
        parts += [METHODS[fitted["method"]].meaning] if fitted["method"] in METHODS else []
    return " ".join(parts)
