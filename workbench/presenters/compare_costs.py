"""What a gain costs, whose answers were fallbacks, and how far repeated answers vary: as small tables of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from engine.model.analysis import FallbackReason
from evals.lift import Lift, Outcome
from evals.metrics.judged import ANSWERS
from evals.metrics.metric import Unit
from evals.records import Estimate
from evals.repeats import Variation
from evals.report import figures
from evals.scoring import Scores
from workbench.presenters.figures import percent
from workbench.presenters.words import FALLBACKS, Word

# What a model is asked for most of all; shown where there is anything to count.
LIFTS = (
    "extraction.f1",
    "extraction.value_agreement",
    "question.type",
    "question.engagement",
    "expansion.recall",
)
OUTCOMES: dict[Outcome, str] = {
    "only the model right": "Only the model got it right",
    "only the rules right": "Only the rules got it right",
    "both right": "Both right",
    "neither right": "Neither right",
}


@dataclass(frozen=True, slots=True)
class LiftLine:
    """What a model gains over the rules in one measure, for each dollar a conversation and each second a turn."""

    title: str
    gain: str
    per_dollar: str
    per_second: str


@dataclass(frozen=True, slots=True)
class Price:
    """What the model takes more than the rules; a dash where it is not known."""

    dollars: str
    seconds: str

    @property
    def is_known(self) -> bool:
        """Whether any of it is."""
        return figures.UNKNOWN not in (self.dollars, self.seconds) or self.dollars != self.seconds


@dataclass(frozen=True, slots=True)
class Fallbacks:
    """The fallbacks of one run: how many of how many answers, and by which reasons, the most frequent first."""

    run: str
    fallbacks: int
    answers: int
    reasons: tuple[tuple[Word, int], ...]

    @property
    def share(self) -> str:
        """`none`, `under 1 %`, `12 %`."""
        if not self.fallbacks:
            return "none"
        share = self.fallbacks / max(self.answers, 1)
        return "under 1 %" if share < 0.01 else percent(share)


@dataclass(frozen=True, slots=True)
class VariationLine:
    """How far a measure moves when everything is asked again, and when other conversations are taken."""

    title: str
    answers: str
    conversations: str


def lift_line(lift: Lift) -> LiftLine:
    unit = lift.metric.unit
    return LiftLine(
        lift.metric.title,
        _signed(lift.gain, unit),
        _signed(lift.per_dollar, unit),
        _signed(lift.per_second, unit),
    )


def price(lift: Lift) -> Price:
    return Price(_more(lift.dollars, "USD"), _more(lift.seconds, "s"))


def who_was_right(outcomes: Mapping[Outcome, int]) -> str:
    """`Only the model got it right: 35. Only the rules: 8.`, of the turns that both count differently."""
    return " ".join(f"{words}: {outcomes[own]:,}." for own, words in OUTCOMES.items() if outcomes.get(own))


def fallbacks(run: str, scores: Scores) -> Fallbacks:
    found = Counter(note.reason for note in scores.fallbacks)
    return Fallbacks(
        run=run,
        fallbacks=len(scores.fallbacks),
        answers=len(scores.records) * len(ANSWERS),
        reasons=tuple((FALLBACKS[FallbackReason(reason)], number) for reason, number in found.most_common()),
    )


def variation_lines(found: Sequence[Variation], of: Callable[[str], bool]) -> tuple[VariationLine, ...]:
    """A line for each measure whose name fits `of` and of which anything is known."""
    return tuple(
        VariationLine(
            item.metric.title,
            figures.size(item.answers, item.metric.unit),
            figures.size(item.conversations, item.metric.unit),
        )
        for item in found
        if of(item.metric.name) and item.answers is not None
    )


def _signed(found: Estimate, unit: Unit) -> str:
    around = figures.difference_interval(found.low, found.high, unit)
    return f"{figures.difference(found.value, unit)} {around}".rstrip()


def _more(found: Estimate, unit: Unit) -> str:
    """What comes on top; the plus is said by the sentence around it."""
    return figures.UNKNOWN if found.value is None else _signed(found, unit).removeprefix("+")
