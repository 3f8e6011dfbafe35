"""Outcomes as observations: whose confidence, in which cells, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.calibration.cells import LEVELS, cells_of, estimator_of
from engine.guardrails.conduct import NO_CLAIM
from evals.learning.calibration.observations import Cells, Observations, encoded, observe
from evals.learning.facts import Coded, Facts
from evals.learning.facts.values import moment64

COLUMNS = (
    "conversation", "action_type", "target", "delivery", "analyzer", "fallback_reason", "origin",
    "status", "confidence", "recommended_at", "closes_at",
)  # fmt: skip


_ASKED = ("action_type", "target", "delivery", "analyzer", "fallback_reason")
_NO_CELLS = tuple(Cells((), np.zeros(0, dtype=np.int64)) for _ in LEVELS)


@dataclass(frozen=True)
class Span:
    """From the first to the last recommendation, None where there is none."""

    first: datetime | None
    last: datetime | None


def observed(facts: Facts, *, since: datetime | None = None, after: datetime | None = None) -> Observations:
    """The resolved outcomes of which a confidence is known, recommended from `since` on, or later than `after`.

    What is pending, superseded or was not sent is in no rate and left out; a late reply counts as none inside the
    window. So are answers in windows newer than all that were looked at: silence there is not known yet.
    """
    return observations_of(facts.where(_chosen(facts, since, after)))


def span(facts: Facts, *, since: datetime | None = None) -> Span:
    """When the recommendations were made that `observed` gives."""
    times = facts.array("recommended_at")[_chosen(facts, since, None)]
    return Span(_moment(times.min()), _moment(times.max())) if len(times) else Span(None, None)


def is_simulated(facts: Facts) -> bool:
    """Whether any of these outcomes is of a simulated world."""
    return bool(facts.words("origin").equals("simulated").any())


def observations_of(facts: Facts) -> Observations:
    """All of these outcomes, each in its cells."""
    conversations = _named(facts.words("conversation").codes, facts.words("conversation").labels)
    return observe(facts.array("confidence"), facts.positive, conversations, cells=cells_of_facts(facts))


def cells_of_facts(facts: Facts) -> tuple[Cells, ...]:
    """The cells of each row, a column for each level; without a name where its target or delivery is not known."""
    confidence = facts.array("confidence")
    columns = [facts.words(name) for name in _ASKED]
    claims_nothing = confidence == NO_CLAIM
    key = claims_nothing.astype(np.int64)
    for column in columns:
        key = key * (len(column.labels) + 1) + column.codes + 1
    _, rows, codes = np.unique(key, return_index=True, return_inverse=True)
    names = [_cells([_word(own, row) for own in columns], float(confidence[row])) for row in rows.tolist()]
    return tuple(_named(codes, level) for level in zip(*names, strict=True)) if names else _NO_CELLS


def _chosen(facts: Facts, since: datetime | None, after: datetime | None) -> NDArray[np.bool_]:
    chosen = facts.resolved & np.isfinite(facts.array("confidence"))
    times = facts.array("recommended_at")
    if since is not None:
        chosen &= times >= moment64(since)
    if after is not None:
        chosen &= times > moment64(after)
    return chosen


def _cells(asked: Sequence[str | None], confidence: float) -> tuple[str, ...]:
    """The cells of one row, from its words in the order of `_ASKED`."""
    action, target, delivery, analyzer, reason = asked
    found = cells_of(estimator_of(analyzer or "", confidence, reason), action or "", target or "", delivery or "")
    return found if target and delivery else (*found[:-1], "")


def _word(column: Coded, row: int) -> str | None:
    code = int(column.codes[row])
    return None if code < 0 else column.labels[code]


def _named(codes: NDArray[Any], labels: Sequence[str]) -> Cells:
    """Codes into labels as codes into the sorted distinct labels; what is not known has the empty name."""
    own = encoded([*labels, ""])
    return Cells(own.names, own.codes[codes])  # the code of what is not known is -1: the last


def _moment(time: np.datetime64) -> datetime:
    return datetime.fromisoformat(str(np.datetime_as_string(time.astype("datetime64[us]")))).replace(tzinfo=UTC)
