"""What `qbs calibrate` says: what a calibration was made of, how it does, and whether it has gone stale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from workbench.commands.output import paragraph
from workbench.text import count, table

if TYPE_CHECKING:
    from engine.calibration import FittedCalibration, PublishedCalibration
    from evals.learning.calibration.extraction import ExtractionReading
    from evals.learning.calibration.making import Checked

SIMULATED = "Learned from SIMULATED outcomes: nobody was really asked."


def fitted_text(fitted: FittedCalibration) -> str:
    """A fitted calibration: where it comes from, how the engine's confidence reads, and what is corrected."""
    report = fitted.report
    head = [f"Calibration {fitted.calibration.name} of {fitted.calibration.outcome_type}"]
    if not report:
        return f"{head[0]}: corrects nothing."
    head += [SIMULATED] if report["simulated"] else []
    head.append(
        f"From {count(report['outcomes'], 'resolved outcome')} of {count(report['conversations'], 'conversation')}, "
        f"{_day(fitted.data_from)} to {_day(fitted.data_until)}, as known {fitted.as_of:%Y-%m-%d %H:%M %Z}."
    )
    parts = ["\n".join(head)]
    if report["before"]:
        parts.append(_readings(report["before"], report["after"] if report["offered"] else None))
        parts.append(diagram(report["before"]["bins"]))
    parts += [_cells(report["cells"], report["cells_with_too_little"]), _verdict(report)]
    return "\n\n".join(part for part in parts if part)


def alike_text(alike: Mapping[str, datetime], options: str = "") -> str:
    """Other fits with the same corrections, each with the command that shows it."""
    lines = [
        f"  qbs calibrate show {name}{options}   as known {as_of:%Y-%m-%d %H:%M %Z}" for name, as_of in alike.items()
    ]
    return "\n".join(["Other outcomes led to the same corrections:", *lines])


def diagram(bins: Sequence[Mapping[str, Any]]) -> str:
    """The reliability diagram as a table."""
    rows = [
        [
            f"{own['lowest']:.2f} to {own['highest']:.2f}",
            f"{own['n']:,}",
            f"{own['confidence']:.3f}",
            f"{own['share']:.3f}",
            f"{own['low']:.3f} to {own['high']:.3f}",
            "" if own["low"] <= own["confidence"] <= own["high"] else "off",
        ]
        for own in bins
    ]
    return table(rows, ["SAID", "OUTCOMES", "MEAN", "ANSWERED", "95 %", ""], right=[1, 2, 3])


def extraction_text(run_id: str, readings: Sequence[ExtractionReading]) -> str:
    """How sure the engine was of what it extracted, and how often it was right, by source and dimension."""
    rows = [
        [
            own.source if own.dimension is None else f"  {own.dimension}",
            f"{own.reading.n:,}",
            f"{sum(each.confidence * each.n for each in own.reading.bins) / own.reading.n:.3f}",
            f"{sum(each.share * each.n for each in own.reading.bins) / own.reading.n:.3f}",
            _estimate(own.reading.gap.model_dump()),
            f"{own.reading.ece.value:.3f}",
            _chance(asdict(own.reading.chance)),
        ]
        for own in readings
    ]
    header = ["", "CLAIMS", "SAID", "RIGHT", "SAID - RIGHT, 95 %", "ECE", "A PERFECT ENGINE'S, BY CHANCE"]
    return f"{run_id}\n\n{table(rows, header, right=[1, 2, 3, 5])}"


def published_text(history: Sequence[PublishedCalibration]) -> str:
    """What was published, the newest first."""
    rows = [
        [
            str(own.number),
            own.name if own.calibration.cells else "none",
            f"{own.published_at:%Y-%m-%d %H:%M}",
            own.published_by,
            f"{_day(own.fitted.data_from)} to {_day(own.fitted.data_until)}" if own.fitted.data_from else "-",
            f"back to {own.returns_to}: {own.note}" if own.returns_to else own.note,
        ]
        for own in history
    ]
    return table(rows, ["NO", "CALIBRATION", "PUBLISHED", "BY", "LEARNED FROM", "NOTE"], right=[0])


def checked_text(published: PublishedCalibration, checked: Checked) -> str:
    """How a calibration in use does, and what is wrong with it."""
    whose = "everybody's" if published.for_everybody else "this tenant's"
    head = f"{published.name}, {whose} number {published.number}, since {_day(published.fitted.data_until)}: "
    lines = [head + f"{count(checked.since, 'resolved outcome')} that it was not learned from."]
    if checked.tested:
        rows = [
            [own.cell, f"{own.n:,}", f"{own.confidence:.3f}", f"{own.share:.3f}", _p(own.gap_p), _p(own.slope_p)]
            for own in checked.tested
        ]
        lines.append(table(rows, ["CELL", "OUTCOMES", "SAID", "ANSWERED", "P", "P OF SLOPE"], right=[1, 2, 3, 4, 5]))
    else:
        lines.append("Too few of them to test whether it is still right.")
    if not checked.alerts:
        return "\n\n".join([*lines, "Nothing says that it is stale."])
    alerts = (f"{own.cell + ': ' if own.cell else ''}{own.words}" for own in checked.alerts)
    return "\n\n".join([*lines, "STALE\n" + "\n".join(paragraph(words, 2, "-") for words in alerts)])


def _readings(before: Mapping[str, Any], after: Mapping[str, Any] | None) -> str:
    named = {
        "log_loss": "log loss",
        "brier": "Brier score",
        "reliability": "  reliability (0 is best)",
        "resolution": "  resolution (more is better)",
        "uncertainty": "  uncertainty",
        "within_bins": "  within bins",
        "gap": "mean confidence - share",
        "ece": "calibration error (ECE)",
        "ece_debiased": "  debiased",
    }
    rows = [[title, _estimate(before[name]), _estimate(after[name]) if after else ""] for name, title in named.items()]
    chance = [_chance(own["chance"]) if own else "" for own in (before, after)]
    rows.insert(-1, ["  a perfect engine's, by chance", *chance])
    header = ["", "CONFIDENCE, 95 %", "CALIBRATED, OUT OF FOLD, 95 %" if after else ""]
    return table(rows, header)


def _cells(cells: Sequence[Mapping[str, Any]], too_little: int) -> str:
    """The cells of the coarser levels, and of the finest those that are corrected."""
    from engine.calibration.cells import LEVELS

    shown = [own for own in cells if own["offered"] or own["level"] < len(LEVELS) - 1]
    rows = [
        [
            own["cell"],
            f"{own['n']:,}",
            f"{own['positive'] / own['n']:.3f}",
            own["method"],
            f"{own['gain']['gain']:+.4f}",
            _p(own["p"]),
            "yes" if own["offered"] else "no",
        ]
        for own in shown
    ]
    if not rows:
        return f"No cell has enough outcomes to be corrected ({count(too_little, 'cell')})."
    header = ["CELL", "OUTCOMES", "ANSWERED", "METHOD", "GAIN", "P", "CORRECTED"]
    lines = [table(rows, header, right=[1, 2, 4, 5])]
    if tried := len(cells) - len(shown):
        lines.append(f"{count(tried, 'finer cell')} more, not better with a correction of their own.")
    if too_little:
        lines.append(f"{count(too_little, 'cell')} with too little: what holds above holds there.")
    return "\n".join(lines)


def _verdict(report: Mapping[str, Any]) -> str:
    gain = report["gain"]
    if not report["offered"] or gain is None:
        return f"Nothing is corrected: {report['reason']}."
    interval = f" ({gain['low']:.4f} to {gain['high']:.4f})" if gain["low"] is not None else ""
    return (
        f"Log loss {gain['without']:.4f} becomes {gain['corrected']:.4f}, a gain of {gain['gain']:.4f}{interval}. "
        "It is read on the outcomes that chose what is corrected, and so is somewhat optimistic."
    )


def _estimate(own: Mapping[str, Any]) -> str:
    if own["value"] is None:
        return "no data"
    interval = f"  {own['low']:.3f} to {own['high']:.3f}" if own["low"] is not None else ""
    return f"{own['value']:.3f}{interval}"


def _chance(own: Mapping[str, Any]) -> str:
    return f"{own['mean']:.3f}  {own['low']:.3f} to {own['high']:.3f}, p {_p(own['p'])}"


def _p(p: float | None) -> str:
    return "" if p is None else "<0.001" if p < 0.001 else f"{p:.3f}"


def _day(moment: datetime | None) -> str:
    return "nothing" if moment is None else f"{moment:%Y-%m-%d}"
