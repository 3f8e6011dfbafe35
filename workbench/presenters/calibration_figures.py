"""How a confidence reads, as figures in a table and sentences: before a correction, and after it if there is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.presenters.calibration_table import Heading, Line, table
from workbench.presenters.calibration_words import p_value
from workbench.presenters.figures import UNKNOWN, percent

Reading = Mapping[str, Any]  # as `evals.learning.calibration.making.reading_facts` makes it

_BETWEEN = "Below it the 95 % interval, from resampling whole conversations."
_ROWS = {  # title, kind of line, meaning
    "gap": ("Mean confidence − share", "", "Above 0: too sure on the whole. In points of a hundred."),
    "ece": (
        "Calibration error (ECE)",
        "",
        (
            "Mean distance of confidence and share, bin by bin. It is never 0, even of a perfect engine: compare it "
            "with the line below."
        ),
    ),
    "chance": (
        "a perfect engine's, by chance",
        "part",
        (
            "The calibration error that a perfectly calibrated engine shows with as many outcomes: mean and 95 % band. "
            "p is the share of such engines that look at least as bad."
        ),
    ),
    "ece_debiased": (
        "debiased",
        "part",
        "The calibration error less what noise adds to it; about 0 of a perfect engine, or even below.",
    ),
    "brier": (
        "Brier score",
        "",
        (
            "Mean squared distance of the probability from what came, 0 or 1. Less is better; it is reliability − "
            "resolution + uncertainty + within bins."
        ),
    ),
    "reliability": (
        "reliability",
        "part",
        "How far confidence and share lie apart, squared. 0 is best; this is what a calibration mends.",
    ),
    "resolution": (
        "resolution",
        "part",
        (
            "How far the shares of the bins differ from the share of all: whether it can tell customers apart. More is "
            "better."
        ),
    ),
    "uncertainty": ("uncertainty", "part", "Share × (1 − share) of all: what nobody can change."),
    "within_bins": ("within bins", "part", "What is left of claims that differ within a bin."),
    "log_loss": (
        "Log loss",
        "",
        (
            "Mean −ln of the probability given to what came. Less is better; it punishes being sure and wrong. A "
            "confidence of 0 or 1 counts as 0.001 from it."
        ),
    ),
}
_PERCENT = ("gap", "ece", "chance", "ece_debiased")


def figures_table(before: Reading, after: Reading | None) -> str:
    """Every figure with its interval; `after` is what the calibration makes of it on conversations it has not seen."""
    headings = [
        Heading("", words=True),
        Heading("As the engine says", _BETWEEN),
        *(
            [Heading("Calibrated", f"On conversations that it was not fitted to (out of fold). {_BETWEEN}")]
            if after
            else []
        ),
    ]
    readings = [before, *([after] if after else [])]
    return table(
        headings,
        [
            Line([title, *(_cell(name, own) for own in readings)], meaning, kind)
            for name, (title, kind, meaning) in _ROWS.items()
        ],
    )


def gap_sentence(reading: Reading, came: str) -> str:
    """`When it says 61 % on average, 50 % answered: too sure by 10.8 points (9.8 to 11.9).`"""
    said = _mean(reading["bins"], "confidence")
    share = _mean(reading["bins"], "share")
    gap = reading["gap"]
    head = f"It says {percent(said)} on average, and {percent(share)} {came}"
    if gap["value"] is None or gap["low"] is None or gap["low"] <= 0 <= gap["high"]:
        return f"{head}: on the whole neither too sure nor too unsure."
    how = "too sure" if gap["value"] > 0 else "not sure enough"
    low, high = sorted((abs(gap["low"]), abs(gap["high"])))
    return f"{head}: {how} by {100 * abs(gap['value']):.1f} points ({100 * low:.1f} to {100 * high:.1f})."


def chance_sentence(reading: Reading) -> str:
    """Whether the calibration error is more than chance makes it."""
    chance, ece = reading["chance"], reading["ece"]["value"]
    band = f"{_share(chance['low'])} to {_share(chance['high'])}"
    perfect = f"a perfectly calibrated engine would show {_share(chance['mean'])} ({band}) with as many outcomes"
    if ece > chance["high"]:
        return f"Its calibration error is {_share(ece)}; {perfect}: this is no chance (p {p_value(chance['p'])})."
    return f"Its calibration error is {_share(ece)}, and {perfect}: nothing says that it is miscalibrated."


def _cell(name: str, reading: Reading) -> tuple[str, str]:
    own = reading[name]
    show = _share if name in _PERCENT else _plain
    if name == "chance":
        return show(own["mean"]), f"{show(own['low'])} to {show(own['high'])}, p {p_value(own['p'])}"
    if own["value"] is None:
        return UNKNOWN, ""
    around = "" if own["low"] is None else f"{show(own['low'])} to {show(own['high'])}"
    return show(own["value"]), around


def _mean(bins: Sequence[Mapping[str, Any]], name: str) -> float:
    """What all bins say together, each as much as it holds."""
    total = sum(own["n"] for own in bins)
    return float(sum(own[name] * own["n"] for own in bins) / total)


def _share(value: float) -> str:
    return f"{100 * value:.1f} %".replace("-0.0 %", "0.0 %")


def _plain(value: float) -> str:
    return f"{value:.4f}".replace("-0.0000", "0.0000")
