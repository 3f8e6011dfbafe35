"""The figures that the demo tells, each from the runs and outcomes themselves."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import QBSError
from evals.errors import RunError
from workbench.demo.cast import DATASET, LABEL
from workbench.demo.preparing import Prepared
from workbench.services import Services

if TYPE_CHECKING:
    from engine.calibration import FittedCalibration
    from engine.model.conversation import Conversation
    from evals.compare import Row
    from evals.dataset_manifest import Split
    from evals.learning.off_policy import WhatIf
    from evals.learning.pooling import Pooled
    from evals.library import Dataset
    from evals.records import TurnRecord
    from evals.runs.rows import RunRow
    from evals.tuning.decision import Decision
    from evals.turn_changes import TurnChange
    from workbench.comparing import Compared, Comparisons

SHOWN_SPLIT: Split = "dev"  # the rest stays unseen, so that it can still judge


@dataclass(frozen=True, slots=True)
class Telling:
    """A turn that says more than others, by one measure of a comparison."""

    conversation: Conversation
    row: Row
    change: TurnChange

    @property
    def message(self) -> int:
        """Which of the customer's messages it is, from 1."""
        turns = [turn.index for turn in self.conversation.customer_turns]
        return turns.index(self.change.turn) + 1


@dataclass(frozen=True, slots=True)
class Wording:
    """How many words the candidate's text leaves out and adds."""

    removed: int
    added: int


@dataclass(frozen=True, eq=False)
class DemoFacts:
    """Everything that the demo tells but for what stands in Postgres. What cannot be told yet is None.

    `records` are what recorded answers made of `script`, the conversation that is played.
    """

    prepared: Prepared
    dataset: Dataset
    script: Conversation
    rows: dict[str, RunRow]
    records: tuple[TurnRecord, ...]
    model: Compared
    telling: Telling | None
    worst: Telling | None
    wording: Wording | None
    tried: Compared | None
    decision: Decision | None
    rates: tuple[Pooled, ...]
    calibration: FittedCalibration | None
    policy: str | None
    what_if: WhatIf | None


def gather(services: Services, prepared: Prepared, comparisons: Comparisons, stamp: Hashable = ()) -> DemoFacts:
    """Takes seconds the first time; a calibration is only there once it was fitted. `stamp` is that of the data set, as
    comparisons are kept by.

    Raises RunError, InputError or UnknownNameError where something was taken away in between.
    """
    from workbench.presenters.live_contacts import default_script

    dataset = services.dataset(DATASET)
    script = dataset.conversation(default_script(dataset))
    index = services.run_index()
    index.refresh()
    rows = {row.run_id: row for row in index.runs()}
    if missing := {prepared.rules, prepared.recorded, prepared.calmer} - {None, *rows}:
        raise RunError(f"{len(missing)} of the demo's runs are not there: `qbs demo prepare` makes them")
    model = _compared(comparisons, dataset, rows[prepared.rules], rows[prepared.recorded], stamp)
    tried = None
    if prepared.calmer is not None:
        tried = _compared(comparisons, dataset, rows[prepared.recorded], rows[prepared.calmer], stamp)
    rates = _rates(services)
    policy = _policy(rates)
    return DemoFacts(
        prepared=prepared,
        dataset=dataset,
        script=script,
        rows=rows,
        records=index.turn_records(prepared.recorded, script.id),
        model=model,
        telling=_telling(dataset, script, model),
        worst=_worst(dataset, model),
        wording=_wording(prepared),
        tried=tried,
        decision=_decision(services, prepared),
        rates=rates,
        calibration=_calibration(services),
        policy=policy,
        what_if=None if policy is None else _what_if(services, policy),
    )


def _compared(comparisons: Comparisons, dataset: Dataset, first: RunRow, second: RunRow, stamp: Hashable) -> Compared:
    from evals.metrics.judged import View
    from evals.runs.judgements import judgements_hash
    from evals.slices import Slice
    from workbench.comparing import RunState, Wanted

    states = [RunState(row.run_id, row.turns) for row in (first, second)]
    folder = comparisons.runs_folder
    judged = (judgements_hash(folder / first.run_id), judgements_hash(folder / second.run_id))
    return comparisons.compare(Wanted(stamp, states[0], states[1], View.MODEL, Slice(), judged), dataset)


def _telling(dataset: Dataset, script: Conversation, model: Compared) -> Telling | None:
    """The turn of the played conversation that gains most, by the surest of the measures that got better."""
    from evals.inference.verdict import Verdict
    from evals.report.verdicts import of_verdict

    for row in (*of_verdict(model.comparison, Verdict.BETTER), *_measures(model)):
        changes = model.changes(row.metric)
        found = next((own for own in changes if own.gain > 0 and own.conversation_id == script.id), None)
        if found is not None:
            return Telling(script, row, found)
    return None


def _worst(dataset: Dataset, model: Compared) -> Telling | None:
    """The turn that loses most, by the surest of the measures that got worse, else by any."""
    from evals.inference.verdict import Verdict
    from evals.report.verdicts import of_verdict

    for row in (*of_verdict(model.comparison, Verdict.WORSE), *_measures(model)):
        changes = model.changes(row.metric)
        shown = (own for own in reversed(changes) if dataset.split[own.conversation_id] == SHOWN_SPLIT)
        found = next(shown, None)
        if found is not None and found.gain < 0:
            return Telling(dataset.conversation(found.conversation_id), row, found)
    return None


def _measures(model: Compared) -> Sequence[Row]:
    from evals.report.verdicts import family_of
    from workbench.presenters.compare_turns import choices

    return [row for row in choices(model.comparison) if not row.metric.detail and family_of(row) != "operations"]


def _wording(prepared: Prepared) -> Wording | None:
    from evals.tuning.word_diff import word_difference

    if prepared.candidate is None:
        return None
    pieces = word_difference(prepared.candidate.shipped.text, prepared.candidate.version.text, around=None)
    counts = {kind: sum(len(own.text.split()) for own in pieces if own.kind == kind) for kind in ("removed", "added")}
    return Wording(**counts)


def _decision(services: Services, prepared: Prepared) -> Decision | None:
    """What the gate says of the candidate against the shipped prompts."""
    from evals.tuning.promotion_runs import NamedSet
    from workbench.promoting import decided

    if prepared.candidate is None:
        return None
    shipped = NamedSet(services.prompt_workspace().shipped, "shipped")
    return decided(services, NamedSet(prepared.candidate.prompts, LABEL), shipped)


def _rates(services: Services) -> tuple[Pooled, ...]:
    """The reply rates of the simulated world by question type, the highest first."""
    from evals.learning.pooling import pooled
    from evals.learning.simulated import TENANT

    found = pooled(services.outcome_store().cells(TENANT, ("question_type",)))
    known = [own for own in found if own.raw.cell.key[0] is not None]
    return tuple(sorted(known, key=lambda own: -own.value))


def _calibration(services: Services) -> FittedCalibration | None:
    """What was fitted to the simulated outcomes when the demo was prepared."""
    from evals.learning.simulated import TENANT
    from workbench.calibrations import Calibrations

    return next(iter(Calibrations(services, TENANT).kept()), None)


def _policy(rates: Sequence[Pooled]) -> str | None:
    """Always the type that was answered most often."""
    return f"always:{rates[0].raw.cell.key[0]}" if rates else None


def _what_if(services: Services, policy: str) -> WhatIf | None:
    from evals.learning.off_policy import COLUMNS, policy_named, what_if
    from evals.learning.simulated import TENANT

    facts = services.outcome_store().facts(TENANT, columns=(*COLUMNS, "account", "contact"))
    try:
        return what_if(facts, policy_named(policy))
    except QBSError:
        return None
