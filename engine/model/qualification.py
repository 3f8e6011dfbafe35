"""What is known about the deal: BANT and MEDDIC signals, each with value, confidence and evidence."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pydantic import AwareDatetime

from engine.model.value import Probability, Value


class Dimension(StrEnum):
    """The ten qualification dimensions. A question targets one of them."""

    BUDGET = "budget"
    AUTHORITY = "authority"
    NEED = "need"
    TIMELINE = "timeline"
    METRICS = "metrics"
    ECONOMIC_BUYER = "economic_buyer"
    DECISION_CRITERIA = "decision_criteria"
    DECISION_PROCESS = "decision_process"
    PAIN = "pain"
    CHAMPION = "champion"

    @classmethod
    def _missing_(cls, value: object) -> Dimension | None:
        return cls.PAIN if value == "identified_pain" else None

    @property
    def field(self) -> str:
        """The name of its field in `BANTSignals` or `MEDDICSignals`."""
        return _FIELDS[self]

    @property
    def is_bant(self) -> bool:
        return self in BANT_DIMENSIONS


_FIELDS = {dimension: "identified_pain" if dimension == "pain" else str(dimension) for dimension in Dimension}


BANT_DIMENSIONS = (Dimension.BUDGET, Dimension.AUTHORITY, Dimension.NEED, Dimension.TIMELINE)
MEDDIC_DIMENSIONS = (
    Dimension.METRICS,
    Dimension.ECONOMIC_BUYER,
    Dimension.DECISION_CRITERIA,
    Dimension.DECISION_PROCESS,
    Dimension.PAIN,
    Dimension.CHAMPION,
)


class Evidence(Value):
    """A verbatim quote of one customer turn."""

    quote: str
    turn: int


class Signal(Value):
    """One dimension: value, confidence and evidence travel together.

    `grounded` is false once the evidence could not be found in the customer's words, or the message tried to
    instruct the machine; the confidence is then capped.
    """

    value: str | None = None
    confidence: Probability = 0.0
    evidence: tuple[Evidence, ...] = ()
    grounded: bool = True

    @property
    def identified(self) -> bool:
        return self.value is not None


class ListSignal(Value):
    """A dimension with several values (decision criteria), in the order in which they came up."""

    values: tuple[str, ...] = ()
    confidence: Probability = 0.0
    evidence: tuple[Evidence, ...] = ()
    grounded: bool = True

    @property
    def identified(self) -> bool:
        return bool(self.values)

    @property
    def value(self) -> str | None:
        """The values joined for reading; None when there is none."""
        return "; ".join(self.values) or None


AnySignal = Signal | ListSignal


class BANTSignals(Value):
    budget: Signal = Signal()
    authority: Signal = Signal()
    need: Signal = Signal()
    timeline: Signal = Signal()

    @property
    def completion(self) -> float:
        """Identified dimensions / 4."""
        return _identified_share(self, BANT_DIMENSIONS)


class MEDDICSignals(Value):
    metrics: Signal = Signal()
    economic_buyer: Signal = Signal()
    decision_criteria: ListSignal = ListSignal()
    decision_process: Signal = Signal()
    identified_pain: Signal = Signal()
    champion: Signal = Signal()

    @property
    def completion(self) -> float:
        """Identified dimensions / 6."""
        return _identified_share(self, MEDDIC_DIMENSIONS)


def _identified_share(signals: BANTSignals | MEDDICSignals, dimensions: tuple[Dimension, ...]) -> float:
    return sum(bool(getattr(signals, dimension.field).identified) for dimension in dimensions) / len(dimensions)


class QualificationState(Value):
    """Everything known about the deal, or everything one extraction found."""

    bant: BANTSignals = BANTSignals()
    meddic: MEDDICSignals = MEDDICSignals()
    overall_confidence: Probability = 0.0
    key_insights: tuple[str, ...] = ()
    recommended_next_questions: tuple[str, ...] = ()
    last_updated: AwareDatetime | None = None

    def signal(self, dimension: Dimension) -> AnySignal:
        signal: AnySignal = getattr(self.bant if dimension.is_bant else self.meddic, dimension.field)
        return signal

    @property
    def signals(self) -> Mapping[Dimension, AnySignal]:
        return {dimension: self.signal(dimension) for dimension in Dimension}

    @property
    def identified(self) -> tuple[Dimension, ...]:
        return tuple(d for d in Dimension if self.signal(d).identified)

    @property
    def gaps(self) -> tuple[Dimension, ...]:
        """The dimensions that are still missing, in the order of `Dimension`."""
        return tuple(d for d in Dimension if not self.signal(d).identified)

    @property
    def completion(self) -> float:
        """Identified dimensions / all ten."""
        return len(self.identified) / len(Dimension)


def qualification_from(
    signals: Mapping[Dimension, AnySignal],
    *,
    overall_confidence: float = 0.0,
    key_insights: tuple[str, ...] = (),
    recommended_next_questions: tuple[str, ...] = (),
    last_updated: AwareDatetime | None = None,
) -> QualificationState:
    """A state from signals by dimension; dimensions left out are unidentified."""
    return QualificationState(
        bant=BANTSignals(**{d.field: s for d, s in signals.items() if d.is_bant}),
        meddic=MEDDICSignals(**{d.field: s for d, s in signals.items() if not d.is_bant}),
        overall_confidence=overall_confidence,
        key_insights=key_insights,
        recommended_next_questions=recommended_next_questions,
        last_updated=last_updated,
    )
