"""Runs over the developed part of the shipped conversations, for tests that need real ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from engine.analyzers import Analyzer, RulesAnalyzer
from engine.model.analysis import Source
from engine.model.conversation import Conversation
from evals.gold import LabelAnalyzer
from evals.library import Dataset, load_dataset
from evals.records import TurnRecord
from evals.replay import replay

SHIPPED = Path(__file__).resolve().parents[2] / "datasets" / "b2b_discovery"


@cache
def shipped() -> Dataset:
    return load_dataset(SHIPPED)


@cache
def talks() -> tuple[Conversation, ...]:
    """The conversations that rules and prompts were developed with; never those of the test split."""
    return shipped().part("dev")


@cache
def by_rules() -> tuple[TurnRecord, ...]:
    return _run(lambda talk: RulesAnalyzer())


@cache
def by_labels() -> tuple[TurnRecord, ...]:
    return _run(lambda talk: LabelAnalyzer(talk, shipped().labels[talk.id]))


@cache
def by_model() -> tuple[TurnRecord, ...]:
    """The answers of the rules as if a model had given them, each with latency, tokens and cost."""
    return tuple(_as_model(record) for record in by_rules())


def _run(analyzer: Callable[[Conversation], Analyzer]) -> tuple[TurnRecord, ...]:
    async def all_of() -> Sequence[TurnRecord]:
        return [record for talk in talks() async for record in replay(talk, analyzer(talk), run_id="r")]

    return tuple(asyncio.run(all_of()))


def _as_model(record: TurnRecord) -> TurnRecord:
    source = Source(
        kind="llm",
        model="m",
        latency_ms=800 + 10 * record.turn,
        tokens_in=900,
        tokens_out=80,
        attempts=1,
        cost_usd=0.002,
    )
    return with_sources(record, extraction=source, question=source, expansion=source)


def with_sources(record: TurnRecord, **sources: Source) -> TurnRecord:
    """The record with these answers' sources replaced."""
    changed = {name: getattr(record.result, name).model_copy(update={"source": own}) for name, own in sources.items()}
    return record.model_copy(update={"result": record.result.model_copy(update=changed)})
