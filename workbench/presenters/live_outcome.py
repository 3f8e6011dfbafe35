"""What became of the newest recommendation, in a word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.presenters.figures import moment, percent
from workbench.presenters.words import Word

if TYPE_CHECKING:
    from engine.model.outcome import StandingOutcome


def outcome_word(standing: StandingOutcome | None, turn: int) -> Word | None:
    """Where the outcome stands, and what that means; None if it is not that of the question after `turn`."""
    if standing is None or standing.outcome.details.turn != turn:
        return None
    closes = moment(standing.outcome.closes_at)
    name, meaning = {
        "pending": ("Outcome pending", f"A reply counts until {closes}. Until then it is in no rate."),
        "positive": ("Answered in time", "The customer replied inside the window: that is positive."),
        "negative": ("Not answered", "The window has closed without a reply."),
        "late": ("Answered late", "A reply came after the window: it is kept apart."),
        "superseded": ("Superseded", "A newer question took its place before anything came of it."),
        "not_sent": ("Not sent", "The seller said something else, so no reply counts for it."),
    }[standing.status]
    if standing.status == "pending" and standing.sent:
        name = "Sent, outcome pending"
    return Word(name, f"{meaning}{_chosen(standing)}")


def calibrated_word(standing: StandingOutcome | None, turn: int) -> Word | None:
    """What the calibration in use made of the confidence of the question after `turn`; None if nothing."""
    if standing is None or standing.outcome.details.turn != turn:
        return None
    found, details = standing.outcome, standing.outcome.details
    if details.calibrated_confidence is None or details.calibration is None:
        return None
    meant = (
        f"The engine said {percent(found.predicted_confidence)}. By what became of its earlier questions, the "
        f"calibration {details.calibration} makes {percent(details.calibrated_confidence)} of it."
    )
    return Word(f"{percent(details.calibrated_confidence)} calibrated", meant)


def _chosen(standing: StandingOutcome) -> str:
    """How the question was chosen, if that was left to chance."""
    details = standing.outcome.details
    if details.propensity is None or len(details.choices) < 2:
        return ""
    share = f"{100 * details.propensity:.0f} %" if details.propensity >= 0.01 else "less than 1 %"
    return f" The question was chosen at random among {len(details.choices)}; this one had a chance of {share}."
