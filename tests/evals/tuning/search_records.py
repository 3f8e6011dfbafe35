"""A search that was kept, with the versions that it found."""

from __future__ import annotations

from datetime import UTC, datetime

from evals.tuning.candidates import SearchEnd
from evals.tuning.search_record import SearchedCandidate, SearchRecord, SearchSpec


def searched(first: str, *found: str, dataset: str = "talks") -> SearchRecord:
    """It began with the version `first`."""
    spec = SearchSpec(
        prompt="question", prompts="0" * 64, dataset=dataset, dataset_hash="1" * 64, metrics=("question.type",),
        sections=("system",), reasoning_model="m", fast_model="m", holdout=0.3, seed=0, turns=40, patience=8,
    )  # fmt: skip
    candidates = tuple(
        SearchedCandidate(number=number, version=ref, parent=None, scores=None, note="", on_front=False)
        for number, ref in enumerate((first, *found))
    )
    return SearchRecord(
        search_id=spec.search_id, spec=spec, date=datetime(2026, 3, 2, tzinfo=UTC), ended=SearchEnd.PLATEAU,
        candidates=candidates, held_out_conversations=("a", "b"), calls=1, tokens=1, cost_usd=None,
    )  # fmt: skip
