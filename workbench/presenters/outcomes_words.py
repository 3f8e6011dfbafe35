"""The words of outcomes as people read them: what they are split by, where they stand, and what is watched for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from engine.model.outcome import OutcomeType
from workbench.presenters.words import (
    CHANNELS,
    DELIVERIES,
    DEPTHS,
    DIMENSIONS,
    ENGAGEMENTS,
    PERSONAS,
    QUESTION_TYPES,
    STAGES,
    Word,
)

WordT = TypeVar("WordT", bound=StrEnum)
SIMULATED_WORD = "simulated"
SIMULATED_NOTE = "Simulated: Computer-generated outcomes in which the truth is known. No customer said any of this."
NOT_KNOWN = "Not known"
FEW = 50  # resolved outcomes, below which a cell is marked: the fewest from which anything is calibrated by itself


@dataclass(frozen=True, slots=True)
class Split:
    """Something that outcomes are split and filtered by. Without `words` the vocabulary is open."""

    title: str
    meaning: str
    words: Mapping[str, str]


def _words(named: Mapping[WordT, Word]) -> Mapping[str, str]:
    return {str(key): word.name for key, word in named.items()}


SPLITS: Mapping[str, Split] = {
    "question_type": Split("Question type", "What the question was for.", _words(QUESTION_TYPES)),
    "target": Split("Target", "What the question was to find out.", _words(DIMENSIONS)),
    "delivery": Split("Delivery", "How the question was put.", _words(DELIVERIES)),
    "engagement": Split("Engagement", "How the customer was talking when it was asked.", _words(ENGAGEMENTS)),
    "pain_depth": Split("Pain depth", "How deep the problem had been explored by then.", _words(DEPTHS)),
    "stage": Split("Stage", "Where the deal was.", _words(STAGES)),
    "persona": Split("Persona", "Whom it was asked.", _words(PERSONAS)),
    "channel": Split("Channel", "Where it was asked.", _words(CHANNELS)),
    "prompt": Split("Prompt version", "The wording that the model was asked with: name@content hash.", {}),
    "analyzer": Split("Analyzer", "Who recommended it: a model, or the rules.", {"llm": "Model", "rules": "Rules"}),
}


@dataclass(frozen=True, slots=True)
class Watched:
    """How one speaks of what a recommendation is watched for."""

    name: str
    rate: str  # the title of its rate
    noun: str
    done: str
    hours: tuple[int, ...]  # at which it is asked how many are still waited for

    @property
    def a_noun(self) -> str:
        return "a reply" if self.noun == "reply" else self.noun


WATCHED: Mapping[OutcomeType, Watched] = {
    OutcomeType.EMAIL_ENGAGEMENT: Watched("Replies", "Reply rate", "reply", "replied", (0, 1, 2, 4, 8, 12, 18, 24)),
    OutcomeType.DEAL_PROGRESSION: Watched(
        "Deal progress", "Progress rate", "progress", "progressed", (0, 24, 72, 168, 336, 504, 720)
    ),
}

STATUSES: Mapping[str, Word] = {
    "positive": Word("Positive", "It came inside the window. Counts in the rate."),
    "negative": Word("Negative", "The window closed, somebody looked, and nothing had come. Counts in the rate."),
    "late": Word("Late", "It came after the window. Counts in the rate as none inside it."),
    "pending": Word("Pending", "The window is open, or nobody has looked since it closed. In no rate."),
    "early": Word(
        "Answered early",
        "Answered in windows newer than all that were looked at. In no rate yet: the silent ones beside them are "
        "not known, and counting answers alone would flatter the newest weeks.",
    ),
    "superseded": Word("Superseded", "A newer question took its place before anything came. In no rate."),
    "not_sent": Word("Not sent", "The customer never saw it. In no rate."),
}


def shown(dimension: str, word: str | None) -> str:
    """A word of a dimension as people read it."""
    if word is None:
        return NOT_KNOWN
    return SPLITS[dimension].words.get(word, word) if dimension in SPLITS else word


def cell_name(by: Sequence[str], key: Sequence[str | None]) -> str:
    """`Impact · Manager`; `All` for the whole."""
    return " · ".join(shown(name, word) for name, word in zip(by, key, strict=True)) or "All"


def by_title(by: Sequence[str]) -> str:
    """`question type and persona`."""
    return " and ".join(SPLITS[name].title.lower() for name in by)


def percent(share: float | None) -> str:
    return "—" if share is None else f"{100 * share:.1f} %"


def between(low: float | None, high: float | None) -> str:
    """`41.2 to 47.9 %`."""
    return "" if low is None or high is None else f"{100 * low:.1f} to {100 * high:.1f} %"


def part_words(words: Sequence[tuple[str, Sequence[str | None]]], since: str | None, until: str | None) -> str:
    """`Persona: Manager or Executive; recommended from 2026-03-01`; empty if all are meant."""
    said = [f"{SPLITS[name].title}: {' or '.join(shown(name, word) for word in chosen)}" for name, chosen in words]
    said += [f"recommended from {since}"] if since else []
    said += [f"recommended until {until}"] if until else []
    return "; ".join(said)
