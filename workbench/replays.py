"""Replays as people ask for them: from names and options to a run, and through it to the end or a clean stop."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from engine.analyzers import Analyzer
from engine.errors import InputError, PromptError
from engine.llm.service import ModelService
from engine.model.analysis import FallbackReason
from engine.model.conversation import Conversation
from engine.prompts import PromptLibrary
from evals.dataset_manifest import Split
from evals.errors import RunError
from evals.gold import LABELS_VARIANT, LabelAnalyzer
from evals.labels import TurnLabels
from evals.library import Dataset
from evals.progress import Progress, Tally
from evals.records import Fork, PickedTurns, RunSpec, RunTotals, StateMode, TurnRecord, Variant
from evals.runner import AnalyzerFor, picked_turns, run
from evals.runs.folder import RunFolder
from evals.runs.manifest import new_manifest, new_spec
from evals.runs.spec import run_id_of
from workbench.asking import AskingAnalyzer, Reach, check_askable, models_to_ask
from workbench.services import Services
from workbench.settings import Settings
from workbench.text import UnknownNameError

SAMPLES_APART = 1_000_000
GRACE_SECONDS = 2.0  # beyond the deadline of a turn, for what is under way when a replay is stopped

Ended: TypeAlias = Literal["complete", "person", "limit", "unanswered"]


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """What a person asks for. No conversations and no split means all of the data set."""

    dataset: str
    conversations: tuple[str, ...] = ()
    variant: str = "rules"
    split: Split | None = None
    state: StateMode = StateMode.CARRIED
    fork: Fork | None = None
    samples: int = 1
    again: bool = False
    picked: PickedTurns | None = None
    prompts: PromptLibrary | None = None  # None: those in use


@dataclass(frozen=True, slots=True)
class PlannedReplay:
    """A run that may or may not have begun: its spec, and what it takes to do it."""

    spec: RunSpec
    dataset: Dataset
    conversations: tuple[Conversation, ...]
    labels: Mapping[str, TurnLabels] | None
    start: TurnRecord | None
    picked: tuple[TurnRecord, ...] | None = None
    prompts: PromptLibrary | None = None

    @property
    def run_id(self) -> str:
        return run_id_of(self.spec)


def plan_replay(services: Services, request: ReplayRequest, variant: Variant | None = None) -> PlannedReplay:
    """The run that `request` means; asking for the same twice gives the same run. Nothing is written yet.

    `variant` takes the place of the one that the request names.
    Raises UnknownNameError, InputError, ConfigurationError or RunError for what cannot be done, and why.
    """
    dataset = services.dataset(request.dataset)
    picked = None if request.picked is None else _picked(services, request.picked)
    start = None if request.fork is None else _fork_start(services, request.fork)
    fork = None if start is None else Fork(run_id=start.run_id, conversation_id=start.conversation_id, turn=start.turn)
    conversations = _chosen(dataset, request)
    spec = new_spec(
        dataset,
        [conversation.id for conversation in conversations],
        variant or services.variant(request.variant, dataset, request.prompts),
        state_mode=StateMode.FORK if fork else StateMode.TURNS if picked else request.state,
        fork=fork,
        picked=_spec_of(request.picked, picked),
        samples=request.samples,
    )
    labels = None if spec.labels_hash is None else _labels(dataset, spec.conversation_ids)
    attempt = _attempt(services, spec, again=request.again)
    return PlannedReplay(attempt, dataset, conversations, labels, start, picked, request.prompts)


def prompts_of(services: Services, variant: Variant) -> PromptLibrary | None:
    """The prompts that a variant names; None for one without any, and where a version is gone: then those in use."""
    try:
        return services.prompts_of(variant) if variant.prompts else None
    except PromptError:
        return None


def is_complete(services: Services, planned: PlannedReplay) -> bool:
    """Whether nothing of a planned replay is left to do."""
    return _totals(services, planned.run_id) is not None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a session of a run ended, after `seconds`.

    `complete`, or stopped by a `person` or a `limit`, or because no model could be reached (`unanswered`, for
    `reason`). `progress` counts earlier sessions too. `seconds` is None where the run was complete before and nothing
    was done.
    """

    run_id: str
    ended: Ended
    progress: Progress
    seconds: float | None
    reason: FallbackReason | None = None


async def carry_out(
    services: Services,
    planned: PlannedReplay,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    stop: asyncio.Event | None = None,
) -> Outcome:
    """Do what is missing of a planned replay, until it is complete, `stop` is set, or nothing more can be asked.

    A turn that a limit, or a model that nobody could reach, left to the rules is not kept, so that a later session
    can still ask a model for it. Raises ConfigurationError, before anything is written, where asking can only be in
    vain, and what `evals.runner.run` raises.
    """
    totals = _totals(services, planned.run_id)
    if totals is not None:
        return Outcome(planned.run_id, "complete", Progress(totals.turns, totals.turns, None, None, totals), None)
    variant, settings = planned.spec.variant, services.settings
    async with services.model_service_for(variant) as service:
        if variant.reasoning_model is not None:
            await service.warm_up()
        check_askable(models_to_ask(variant, settings), settings)
        folder = RunFolder.create(services.runs_folder, new_manifest(planned.spec, planned.conversations))
        session = _Session(folder, stop or asyncio.Event(), settings)
        ended, progress = await session.watch(
            run(
                folder,
                planned.conversations,
                _analyzers(services, planned, service, session.reach),
                labels=planned.labels if planned.spec.state_mode is StateMode.GOLD else None,
                start=planned.start,
                picked=planned.picked,
                concurrency=settings.concurrency,
                on_progress=on_progress,
                stop=session.stop,
            )
        )
    return Outcome(planned.run_id, ended, progress, time.monotonic() - session.began, session.reach.reason)


def counted(folder: RunFolder) -> Progress:
    """How far a run is by what its folder holds."""
    tally = Tally(folder.manifest.turns_expected)
    for record in folder.records():
        tally.count_earlier(record)
    return tally.progress()


class _Session:
    """One attempt at finishing a run, watched from outside."""

    def __init__(self, folder: RunFolder, stop: asyncio.Event, settings: Settings) -> None:
        self.began = time.monotonic()
        self.stop = stop
        self.reach = Reach()
        self._folder = folder
        self._settings = settings

    async def watch(self, running: Coroutine[Any, Any, Progress]) -> tuple[Ended, Progress]:
        """Wait for the run; stop it when the time is up, and at once when nothing more can be asked.

        Whoever stops it, turns under way have as long as their deadline to end.
        """
        task = asyncio.ensure_future(running)
        over, stopped = asyncio.ensure_future(self.reach.ended.wait()), asyncio.ensure_future(self.stop.wait())
        out_of_time = False
        try:
            await asyncio.wait(
                {task, over, stopped}, timeout=self._settings.max_seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if not (task.done() or over.done()):
                out_of_time = not stopped.done()
                self.stop.set()
                grace = self._settings.deadline_seconds + GRACE_SECONDS
                await asyncio.wait({task, over}, timeout=grace, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                progress = await task
            else:
                task.cancel()
                await asyncio.wait({task})
                progress = counted(self._folder)
        finally:
            for each in (over, stopped, task):
                each.cancel()
        return self._ended(progress, out_of_time=out_of_time), progress

    def _ended(self, progress: Progress, *, out_of_time: bool) -> Ended:
        if progress.complete:
            return "complete"
        if self.reach.ended.is_set():
            return "limit" if self.reach.reason is None else "unanswered"
        return "limit" if out_of_time else "person"


def _analyzers(services: Services, planned: PlannedReplay, service: ModelService, reach: Reach) -> AnalyzerFor:
    """What answers each conversation and sample of the run."""
    variant, labels = planned.spec.variant, planned.labels
    first = _first_sample(planned.spec)

    def analyzer_for(conversation: Conversation, sample: int) -> Analyzer:
        if variant.name == LABELS_VARIANT and labels is not None:
            return LabelAnalyzer(conversation, labels[conversation.id])
        asked = services.analyzer_for(variant, service, sample=first + sample, prompts=planned.prompts)
        return AskingAnalyzer(asked, reach)

    return analyzer_for


def _first_sample(spec: RunSpec) -> int:
    """The sample index under which a run's answers begin.

    A run done again gets a range of its own, so that models are really asked anew, and nobody pays twice for an
    answer when that run is interrupted and resumed. Recordings exist only in the range of the first attempt.
    """
    if spec.attempt == 0 or not spec.variant.name.startswith("llm:"):
        return 0
    return (1 + int(hashlib.sha256(run_id_of(spec).encode()).hexdigest()[:8], 16)) * SAMPLES_APART


def _chosen(dataset: Dataset, request: ReplayRequest) -> tuple[Conversation, ...]:
    if request.fork is not None:
        return (_named(dataset, request.fork.conversation_id),)
    if request.picked is not None:
        return tuple(_named(dataset, id_) for id_ in sorted({id_ for id_, _ in request.picked.turns}))
    if request.conversations:
        named = {name: _named(dataset, name) for name in request.conversations}
        return tuple(named.values())
    chosen = dataset.conversations if request.split is None else dataset.part(request.split)
    if not chosen:
        raise InputError(f"{dataset.name} has no conversations in its {request.split} part")
    return chosen


def _named(dataset: Dataset, conversation_id: str) -> Conversation:
    if conversation_id not in dataset.hashes:
        raise UnknownNameError("conversation", conversation_id, dataset.hashes, where=f"in {dataset.name}")
    return dataset.conversation(conversation_id)


def _labels(dataset: Dataset, ids: Sequence[str]) -> dict[str, TurnLabels]:
    missing = [id_ for id_ in ids if id_ not in dataset.labels]
    if missing:
        raise InputError(f"{dataset.name} has no labels for {', '.join(missing[:5])}; this replay needs them")
    return {id_: dataset.labels[id_] for id_ in ids}


def _fork_start(services: Services, fork: Fork) -> TurnRecord:
    """The record that a fork goes on from. Raises UnknownNameError or RunError."""
    folder = services.run(fork.run_id)
    records = [r for r in folder.records() if r.conversation_id == fork.conversation_id and r.sample == 0]
    found = next((record for record in records if record.turn == fork.turn), None)
    if found is None:
        turns = ", ".join(str(record.turn) for record in records) or "none"
        raise RunError(f"{fork.run_id} has no turn {fork.turn} of {fork.conversation_id}; it has these: {turns}")
    return found


def _spec_of(asked: PickedTurns | None, found: tuple[TurnRecord, ...] | None) -> PickedTurns | None:
    """The turns that were found, and how they were picked."""
    turns = picked_turns(found or ())
    return turns if turns is None or asked is None else turns.model_copy(update={"by": asked.by})


def _picked(services: Services, picked: PickedTurns) -> tuple[TurnRecord, ...]:
    """The records whose turns are answered again. Raises UnknownNameError or RunError."""
    folder, wanted = services.run(picked.run_id), set(picked.turns)
    found = {
        (record.conversation_id, record.turn): record
        for record in folder.records()
        if record.sample == 0 and (record.conversation_id, record.turn) in wanted
    }
    if missing := sorted(wanted - set(found)):
        named = ", ".join(f"{id_}:{turn}" for id_, turn in missing[:5])
        raise RunError(f"{folder.run_id} has no such turns of customers: {named}; `qbs runs show` lists those it has")
    return tuple(found[turn] for turn in picked.turns)


def _attempt(services: Services, spec: RunSpec, *, again: bool) -> RunSpec:
    """The spec itself; if it is to be done again, its first attempt that is not complete yet."""
    attempt = spec
    while again and _totals(services, run_id_of(attempt)) is not None:
        attempt = attempt.model_copy(update={"attempt": attempt.attempt + 1})
    return attempt


def _totals(services: Services, run_id: str) -> RunTotals | None:
    """What a complete run amounts to; None for one that is not complete, or has not begun."""
    path = services.runs_folder / run_id
    return RunFolder.open(path).totals if path.exists() else None
