"""The words of calibration: cells, methods, and why something is offered or stale, as people read them."""

from __future__ import annotations

from collections.abc import Mapping

from engine.calibration.cells import Estimator
from engine.calibration.maps import Beta, Intercept, Isotonic, Map, Sigmoid
from engine.model.outcome import OutcomeType
from engine.model.qbs import QBSQuestionType, VossDelivery
from engine.model.qualification import Dimension
from evals.learning.calibration.drift import Alert, Stale
from workbench.presenters.words import DELIVERIES, DIMENSIONS, QUESTION_TYPES, Word

CAME = {OutcomeType.EMAIL_ENGAGEMENT: "answered", OutcomeType.DEAL_PROGRESSION: "moved on"}

ESTIMATORS: Mapping[str, Word] = {
    Estimator.MODEL: Word("Model", "A model said how likely an answer is."),
    Estimator.RULES: Word("Rules", "The rules said so, from a table of priors: a scale of their own."),
    Estimator.NOBODY: Word(
        "Nobody", "A question that took another's place: a fallback, a guardrail's, or a drawn one. It claims nothing."
    ),
}

METHODS: Mapping[str, Word] = {
    "intercept": Word("shift", "All probabilities are moved up or down alike: one figure, for little data."),
    "sigmoid": Word("sigmoid", "A slope and a shift: too sure, or not sure enough, at both ends alike (Platt)."),
    "beta": Word(
        "beta", "A slope for each end and a shift (Kull and others): one end may be more wrong than the other."
    ),
    "isotonic": Word("isotonic", "Any map that never falls; it needs a thousand outcomes."),
}

ALERTS: Mapping[Stale, Word] = {
    Stale.TOO_OLD: Word("Too old", "What it was learned from is more than 90 days ago."),
    Stale.GAP: Word("No longer right", "The share that answers is another one than it says, beyond luck."),
    Stale.SLOPE: Word(
        "Too sure or not sure enough", "High and low probabilities are wrong in opposite ways, beyond luck."
    ),
    Stale.POPULATION: Word(
        "Other questions", "Other questions are asked, or with other confidence, than it learned from."
    ),
}


def cell_name(cell: str) -> str:
    """`model/qbs_impact/metrics/label` as `Model · Impact · Metrics · Label`; words that are not known as they are."""
    estimator, *rest = cell.split("/")
    asked = [_asked(part) for part in rest]
    return " · ".join([ESTIMATORS[estimator].name if estimator in ESTIMATORS else estimator, *asked])


def action_name(action_type: str) -> str:
    """`qbs_impact` as `Impact`."""
    kind = action_type.removeprefix("qbs_")
    return QUESTION_TYPES[QBSQuestionType(kind)].name if kind in list(QBSQuestionType) else action_type


def map_words(own: Map) -> str:
    """What a map does, in a sentence."""
    match own:
        case Intercept(shift=shift):
            return f"moves all logits by {shift:+.2f}"
        case Sigmoid(slope=slope, shift=shift):
            return f"logit = {slope:.2f} × logit of the confidence {shift:+.2f}"
        case Beta(low=low, high=high, shift=shift):
            return f"logit = {low:.2f} × ln c − {high:.2f} × ln (1 − c) {shift:+.2f}"
        case Isotonic(confidences=knots):
            return f"straight lines between {len(knots)} knots"


def alert_words(alert: Alert) -> str:
    """`Model · Impact: 60 % were to answer, and 43 % of 812 did (0.170, at most 0.030 is borne; p 0.002)`."""
    place = f"{cell_name(alert.cell)}: " if alert.cell and alert.kind is not Stale.POPULATION else ""
    luck = "" if alert.p is None else f"; p {p_value(alert.p)}"
    words = alert.words if place else f"{alert.words[:1].upper()}{alert.words[1:]}"
    return f"{place}{words} ({alert.figure:.3g}, where {alert.limit:.3g} is borne{luck})"


def p_value(p: float | None) -> str:
    return "" if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"


def _asked(part: str) -> str:
    if part in list(Dimension):
        return DIMENSIONS[Dimension(part)].name
    if part in list(VossDelivery):
        return DELIVERIES[VossDelivery(part)].name
    return action_name(part)
