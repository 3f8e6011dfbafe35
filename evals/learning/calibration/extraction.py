"""Whether the confidence of an extraction can be believed: when the engine says budget 0.8, is it right 8 times of 10?

The same reading as of replies, by who extracted and by dimension. What is right is said by labels, turn by turn, as
`evals.metrics.calibration` counts it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine.model.analysis import Source
from engine.model.qualification import Dimension
from evals.evaluation import Evaluation
from evals.inference.resampling import SEED
from evals.judged_turns import judged_turns
from evals.learning.calibration.observations import Observations, observe
from evals.learning.calibration.scores import RESAMPLES, Reading, read
from evals.metrics.calibration import claims
from evals.metrics.judged import JudgedTurn, View

FALLBACK = "fallback"


@dataclass(frozen=True, slots=True)
class ExtractionReading:
    """The claims of one source (`llm`, `recorded`, `rules`, `fallback`) about one dimension; None: about all."""

    source: str
    dimension: Dimension | None
    reading: Reading


def claims_of_run(run: Evaluation) -> Observations:
    """The claims of a run, fallbacks included, beside the labels of its data set. Raises RunDamagedError."""
    ids = set(run.matched.ids)
    records = (record for record in run.folder.records() if record.conversation_id in ids)
    return extraction_claims(judged_turns(records, run.dataset.labels, run.matched.conversations, View.ALL))


def extraction_claims(turns: Iterable[JudgedTurn]) -> Observations:
    """The claims of labelled turns, in cells by source, and by source and dimension. Turns that failed claim nothing.

    The answers of one conversation, in whichever sample, resemble each other: its claims are resampled together.
    """
    confidence, right, conversations, sources, dimensions = [], [], [], [], []
    for turn in turns:
        if not turn.counts("extraction"):
            continue
        source = _named(turn.source("extraction"))
        for claim in claims(turn) or ():
            confidence.append(claim.confidence)
            right.append(claim.right)
            conversations.append(turn.conversation.id)
            sources.append(source)
            dimensions.append(f"{source}/{claim.dimension}")
    return observe(confidence, right, conversations, cells=(sources, dimensions))


def read_extraction(
    observations: Observations, *, resamples: int = RESAMPLES, seed: int = SEED
) -> tuple[ExtractionReading, ...]:
    """Each source as a whole, then each of its dimensions of which it claimed anything."""
    found = []
    for level, cells in enumerate(observations.cells):
        for name in cells.names:
            source, _, dimension = name.partition("/")
            reading = read(observations.of_cell(level, name), resamples=resamples, seed=seed)
            if reading is not None:
                found.append(ExtractionReading(source, Dimension(dimension) if dimension else None, reading))
    return tuple(sorted(found, key=lambda own: (own.source, own.dimension is not None, own.dimension or "")))


def _named(source: Source) -> str:
    return FALLBACK if source.is_fallback else source.kind
