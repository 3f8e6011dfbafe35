"""Two runs side by side: what each is called on the page, and its record at each turn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine.model.analysis import Analysis
from engine.model.qualification import Dimension, Evidence
from engine.model.state import ConversationState
from evals.records import Failure, TurnRecord
from evals.runs.rows import RunRow
from workbench.presenters.figures import moment


@dataclass(frozen=True, slots=True)
class Side:
    """One run's view of the conversation. `name` is unique on the page; `records` are by turn, one sample.

    `problem` says why the run, or a part of it, cannot be read.
    """

    name: str
    run_id: str
    records: Mapping[int, TurnRecord]
    problem: str | None = None

    @classmethod
    def of(cls, name: str, run_id: str, records: Iterable[TurnRecord], problem: str | None = None) -> Side:
        return cls(name, run_id, {record.turn: record for record in records}, problem)

    def analysis(self, turn: int) -> Analysis | None:
        """What was concluded at `turn`; None if the run has not come there, or failed there."""
        record = self.records.get(turn)
        return None if record is None or isinstance(record.result, Failure) else record.result

    def failure(self, turn: int) -> Failure | None:
        record = self.records.get(turn)
        return record.result if record is not None and isinstance(record.result, Failure) else None

    def before(self, turn: int) -> ConversationState | None:
        """The state after the turn before, so that what happens between two turns counts as a change."""
        record = self.records.get(turn)
        if record is None:
            return None
        earlier = [index for index in self.records if index < turn]
        return self.records[max(earlier)].after if earlier else record.before

    def after(self, turn: int) -> ConversationState | None:
        record = self.records.get(turn)
        return None if record is None else record.after

    def found(self, turn: int) -> Iterable[tuple[Dimension, Evidence]]:
        """The evidence that this turn's extraction brought."""
        analysis = self.analysis(turn)
        if analysis is not None:
            signals = analysis.extraction.found.signals
            yield from ((dimension, item) for dimension, signal in signals.items() for item in signal.evidence)


_VARIANTS = {"rules": "rules", "recorded": "recorded answers", "labels": "labels"}


def variant_words(variant: str) -> str:
    """`rules`, `recorded answers`, `labels`, or the model's own name."""
    return _VARIANTS.get(variant) or variant.removeprefix("llm:")


def variant_name(row: RunRow) -> str:
    """The same, to begin a line with."""
    words = variant_words(row.variant)
    return words.capitalize() if row.variant in _VARIANTS else words


def side_names(rows: Sequence[RunRow]) -> tuple[str, ...]:
    """A name for each run that tells them apart: the variant, and where that is not enough when it was run."""
    variants = [variant_name(row) for row in rows]
    often = Counter(variants)
    names = [
        variant if often[variant] == 1 else f"{variant}, {moment(row.created_at)}"
        for variant, row in zip(variants, rows, strict=True)
    ]
    again = Counter(names)
    return tuple(
        name if again[name] == 1 else f"{name} ({row.run_id[-8:]})" for name, row in zip(names, rows, strict=True)
    )
