"""Which outcomes are meant: words of dimensions, and when they were recommended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.errors import InputError
from engine.model.outcome import OutcomeType
from evals.errors import unknown
from evals.learning.facts.schema import ENUMS
from evals.learning.facts.values import DIMENSIONS, PLACED, moment64, plain_moment

FILTERABLE = (*DIMENSIONS, "action_type", "status", *PLACED)
Words = Sequence[str | None]


@dataclass(frozen=True, slots=True)
class Filters:
    """Outcomes that have one of the `words` in each dimension named (None: those of which it is not known).

    Recommended from `since` on and before `until`. Raises InputError for a dimension or a word that there is none of.
    """

    words: Mapping[str, Words] = field(default_factory=dict)
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        for name, words in self.words.items():
            if name not in FILTERABLE:
                raise unknown("dimension", name, FILTERABLE)
            check_words(name, words)
        for moment in (self.since, self.until):
            if moment is not None:
                moment64(moment)

    @property
    def by_time(self) -> bool:
        return self.since is not None or self.until is not None

    @property
    def in_cells(self) -> bool:
        """Whether the counts by dimension can answer, without a look at single outcomes."""
        return not self.by_time and all(name in DIMENSIONS for name in self.words)


EVERYTHING = Filters()


def check_words(name: str, words: Words) -> None:
    """Raises InputError for a word that the dimension's vocabulary does not have."""
    for word in words:
        if name in ENUMS and word is not None and word not in ENUMS[name]:
            raise unknown(name, word, ENUMS[name])


def check_dimensions(names: Sequence[str]) -> None:
    """Raises InputError for what outcomes are not split by."""
    for name in names:
        if name not in DIMENSIONS:
            raise unknown("dimension", name, DIMENSIONS)
    if len(set(names)) < len(names):
        raise InputError(f"a dimension is named twice: {', '.join(names)}")


def condition(filters: Filters, outcome_type: OutcomeType, schema: str) -> tuple[str, dict[str, Any]]:
    """The filters as SQL over `outcome_facts` or `cells`, and its parameters."""
    parts, values = ["outcome_type = $outcome_type::main.outcome_type"], dict[str, Any](outcome_type=str(outcome_type))
    for name, words in filters.words.items():
        sql, own = _one_of(name, words, schema)
        parts.append(sql)
        values |= own
    for name, sign in (("since", ">="), ("until", "<")):
        if (moment := getattr(filters, name)) is not None:
            parts.append(f"recommended_at {sign} ${name}")
            values[name] = plain_moment(moment)
    return " AND ".join(parts), values


def _one_of(name: str, words: Words, schema: str) -> tuple[str, dict[str, Any]]:
    own = {f"{name}_{number}": word for number, word in enumerate(words) if word is not None}
    type_ = f"main.{name}" if name in ENUMS else "VARCHAR"
    listed = ", ".join(f"${each}::{type_}" for each in own)
    known = "false"
    if own and name in PLACED:
        known = f"conversation IN (SELECT key FROM {schema}.conversations WHERE {name} IN ({listed}))"
    elif own:
        known = f"{name} IN ({listed})"
    return (f"({known} OR {name} IS NULL)" if None in words and name not in PLACED else known), own
