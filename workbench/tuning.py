"""Trying prompts on a few turns, as pages and commands ask for it: planned at once, answered in the background."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import ConfigurationError, InputError
from engine.prompts import PromptSet
from evals.records import Fork, PickedBy, PickedTurns, Variant
from evals.scoring import TurnKey
from evals.tuning.picking import MANY, named_turns
from workbench.background import Background, Job, Report, Work
from workbench.evaluations import evaluations
from workbench.jobs import JobLimits, carried_out
from workbench.replays import PlannedReplay, ReplayRequest, plan_replay
from workbench.services import RECORDINGS, Services
from workbench.text import count
from workbench.variants import configured_models, recorded_models

if TYPE_CHECKING:
    from evals.metrics.metric import Metric
    from evals.runs.folder import RunFolder
    from evals.tuning.trials import Trial

LOOKING_S = 60.0  # for finding out which turns have recordings


class ChosenTurns(tuple[TurnKey, ...]):
    """Turns, and how they were chosen: what a comparison on them is worth depends on it."""

    by: PickedBy

    def __new__(cls, turns: Sequence[TurnKey], by: PickedBy) -> ChosenTurns:
        chosen = super().__new__(cls, turns)
        chosen.by = by
        return chosen


@dataclass(frozen=True)
class TrialRequest:
    """Try `prompts` on turns of the run `base`: on each alone, or from the first of `turns` on if `onwards`.

    The trial remembers how `turns` were chosen, if they are those of `turns_to_try`.
    `variant` is as in `qbs replay`; None means the configured models or, where none is, the recordings there are.
    """

    base: str
    prompts: PromptSet
    turns: tuple[TurnKey, ...]
    onwards: bool = False
    variant: str | None = None
    again: bool = False


@dataclass(frozen=True)
class PlannedTrial:
    """A trial that may or may not have begun. `notes` are what a person has to know beforehand, in sentences.

    `replay` is None where nothing can be answered: no model is configured, and no turn has recordings. `recorded`
    counts the wanted turns that recordings answer in full; None where a model will be asked.
    """

    base_id: str
    wanted: int
    replay: PlannedReplay | None
    recorded: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def run_id(self) -> str | None:
        return self.replay.run_id if self.replay else None

    @property
    def key(self) -> str:
        """The name of its job: asking for the same trial twice is one job."""
        return f"trial {self.run_id}"


async def plan_trial(services: Services, request: TrialRequest) -> PlannedTrial:
    """What trying means: which turns, answered by what. Nothing is asked and nothing written yet.

    Raises UnknownNameError, InputError, ConfigurationError or RunError for what cannot be tried, and why.
    """
    base = services.run(request.base)
    if not request.turns:
        raise InputError("a trial needs a turn to try on; pick one")
    if request.onwards:
        return _onwards(services, request, base)
    asked = _asked(services, request, base)
    by = request.turns.by if isinstance(request.turns, ChosenTurns) else None
    picked = PickedTurns(run_id=base.run_id, turns=_checked(base, request.turns), by=by)
    if asked is not None:
        return PlannedTrial(base.run_id, len(picked.turns), _planned(services, request, base, asked, picked=picked))
    return await _by_recordings(services, request, base, picked)


def trying(services: Services, planned: PlannedTrial) -> Work:
    """The job that does what is missing of a trial. The work raises what `carry_out` raises."""

    async def work(report: Report, stop: asyncio.Event) -> str:
        if planned.replay is None:
            return " ".join(planned.notes)
        return await carried_out(services, planned.replay, report, stop)

    return work


def start_trial(jobs: Background, services: Services, request: TrialRequest, limits: JobLimits) -> PlannedTrial:
    """Plan a trial and begin it in the background, within limits of its own; its job is `jobs.job(planned.key)`.

    Raises what `plan_trial` raises. `jobs.stop(planned.key)` stops it cleanly; what was answered is kept.
    """
    limited = limits.on(services)
    planned = jobs.call(plan_trial(limited, request), LOOKING_S)
    if planned.replay is not None:
        title = f"Trying {request.prompts.short} on {count(planned.wanted, 'turn')}"
        jobs.submit(planned.key, title, trying(limited, planned))
    return planned


def trial_job(jobs: Background, planned: PlannedTrial) -> Job | None:
    """How far the job of a trial is; None if it has not been started in this process."""
    return jobs.job(planned.key)


def trial(services: Services, run_id: str, metrics: Sequence[Metric] | None = None) -> Trial | None:
    """A trial as far as it is there, with the verdict on what is answered; None as long as nothing was written.

    Raises InputError for a run that is no trial, UnknownNameError if its base run is gone.
    """
    from evals.evaluation import evaluate_all
    from evals.runs.counts import CountStore
    from evals.runs.folder import RunFolder
    from evals.tuning.trials import base_of, read_trial

    path = services.runs_folder / run_id
    if not path.exists():
        return None
    folder = RunFolder.open(path)
    spec = folder.manifest.spec
    dataset = services.dataset(spec.dataset)
    base = services.run(base_of(spec))
    first, second = evaluate_all([(base, dataset), (folder, dataset)], CountStore(services.run_index()))
    return read_trial(first, second, metrics)


def turns_to_try(
    services: Services,
    run_id: str,
    metrics: Sequence[Metric],
    most: int = MANY,
    *,
    by: PickedBy = "chance",
    seed: int = 0,
) -> ChosenTurns:
    """The turns of a run to try a prompt on: some by chance, those of them that must never break again, or those that
    scored worst by these metrics, which are for reading: any other answers look better there.

    Raises UnknownNameError for the run, InputError for a metric that is no share, or for a run without turns.
    """
    from evals.tuning.must_not_break import of_dataset
    from evals.tuning.picking import random_turns, worst_turns
    from evals.tuning.trials import right_scores
    from evals.tuning.turn_scores import turn_scores
    from workbench.promoting import must_not_break

    (run,) = evaluations(services, [run_id])
    answers = [record for record in run.folder.records() if record.sample == 0]
    present = {(record.conversation_id, record.turn) for record in answers}
    if by == "must not break":
        protected = of_dataset(must_not_break(services).turns(), run.dataset.name)
        keys = ((own.conversation_id, own.turn) for own in protected)
        return ChosenTurns([key for key in keys if key in present][:most], by)
    if by == "chance":
        return ChosenTurns(random_turns(present, most, seed=seed), by)
    scores = run.scores(metrics=metrics)
    return ChosenTurns(worst_turns(turn_scores(scores, metrics, right_scores(run, answers, metrics)), most), by)


def _onwards(services: Services, request: TrialRequest, base: RunFolder) -> PlannedTrial:
    """Going on from a turn. Later turns depend on earlier answers, so nobody can say beforehand what is recorded."""
    (conversation, turn), *_ = _checked(base, request.turns)
    asked = _asked(services, request, base)
    told = "turns without a recorded answer are answered by the rules, and not judged"
    notes = () if asked else (f"{_why_recordings(services)}: {told}.",)
    variant = asked or _recorded_by(services, request, base)[0]
    fork = Fork(run_id=base.run_id, conversation_id=conversation, turn=turn)
    planned = _planned(services, request, base, variant, fork=fork)
    turns = sum(own.index >= turn for own in planned.conversations[0].customer_turns)
    return PlannedTrial(base.run_id, turns, planned, notes=notes)


async def _by_recordings(
    services: Services, request: TrialRequest, base: RunFolder, picked: PickedTurns
) -> PlannedTrial:
    """The trial on those of the turns that have recordings for these prompts, by the models that have most."""
    best: tuple[TurnKey, ...] = ()
    chosen: Variant | None = None
    for variant in _recorded_by(services, request, base):
        planned = _planned(services, request, base, variant, picked=picked)
        found = await _recorded(services, planned)
        if len(found) > len(best):
            best, chosen = found, variant
    of = f"{len(best)} of {count(len(picked.turns), 'turn')}"
    notes = (f"{_why_recordings(services)}: {of} have recorded answers by these prompts.",)
    if chosen is None:
        return PlannedTrial(base.run_id, len(picked.turns), None, 0, notes)
    some = picked.model_copy(update={"turns": best})
    replay = _planned(services, request, base, chosen, picked=some)
    return PlannedTrial(base.run_id, len(picked.turns), replay, len(best), notes)


def _why_recordings(services: Services) -> str:
    try:
        configured_models(services.settings)
    except ConfigurationError:
        return "No model is configured (QBS_REASONING_MODEL)"
    return "Only recordings are used, and no model is asked"


async def _recorded(services: Services, planned: PlannedReplay) -> tuple[TurnKey, ...]:
    from evals.tuning.recorded import recorded_turns

    conversations = {own.id: own for own in planned.conversations}
    async with services.model_service("recorded") as service:
        analyzer = services.analyzer_for(planned.spec.variant, service, prompts=planned.prompts)
        return await recorded_turns(planned.picked or (), conversations, analyzer)


def _asked(services: Services, request: TrialRequest, base: RunFolder) -> Variant | None:
    """The variant whose models are asked; None where no model is configured and recordings have to do.

    Raises what `Services.variant` raises for one that the request names.
    """
    dataset, library = services.dataset(base.manifest.spec.dataset), request.prompts.library()
    if request.variant not in (None, "recorded"):
        return services.variant(str(request.variant), dataset, library)
    if request.variant == "recorded" or services.settings.recording_mode == "recorded":
        return None
    try:
        configured_models(services.settings)
    except ConfigurationError:
        return None
    return services.variant("llm", dataset, library)


def _recorded_by(services: Services, request: TrialRequest, base: RunFolder) -> list[Variant]:
    """The variants that recordings may answer: the models of the base run, and those recorded with the data set.

    Raises ConfigurationError where neither names a model.
    """
    own, dataset = base.manifest.spec.variant, services.dataset(base.manifest.spec.dataset)
    pairs = [(own.reasoning_model, own.fast_model), recorded_models(dataset.folder / RECORDINGS) or (None, None)]
    found = [
        services.variant(f"llm:{reasoning}+{fast}", dataset, request.prompts.library()).model_copy(
            update={"name": "recorded"}
        )
        for reasoning, fast in dict.fromkeys(pairs)
        if reasoning and fast
    ]
    if not found:
        raise ConfigurationError(
            "no model is configured, and there are no recordings whose models could stand in: "
            "set QBS_REASONING_MODEL (and QBS_FAST_MODEL)"
        )
    return found


def _planned(
    services: Services,
    request: TrialRequest,
    base: RunFolder,
    variant: Variant,
    *,
    picked: PickedTurns | None = None,
    fork: Fork | None = None,
) -> PlannedReplay:
    wanted = ReplayRequest(
        base.manifest.spec.dataset, fork=fork, picked=picked, prompts=request.prompts.library(), again=request.again
    )
    return plan_replay(services, wanted, variant)


def _checked(base: RunFolder, turns: Sequence[TurnKey]) -> tuple[TurnKey, ...]:
    present = {(record.conversation_id, record.turn) for record in base.records() if record.sample == 0}
    return named_turns(turns, present, base.run_id)
