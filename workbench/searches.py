"""Searches for better prompts as people ask for them: within a budget, every candidate kept, the winner tested."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from engine.errors import ConfigurationError, InputError
from engine.llm.limits import Ledger, Limits, Spend
from engine.prompts import Prompt, PromptSet
from evals.library import Dataset
from evals.matching import shown_conversations
from evals.metrics.metric import Metric
from evals.progress import Progress
from evals.records import RunTotals, Variant
from evals.tuning.candidates import Candidate, Found, SearchEnd
from evals.tuning.optimise import PATIENCE, Goal, import_gepa, optimise, sections_to_search
from evals.tuning.parts import CALLS_A_TURN, PartAnswers, check_searchable
from evals.tuning.reflection import Reflection
from evals.tuning.search_record import HeldOutRuns, SearchedCandidate, SearchRecord, SearchSpec, save_search
from evals.tuning.search_turns import Holdout, hold_out, search_turns
from evals.tuning.turn_scores import check_shares
from workbench.asking import check_askable, models_to_ask
from workbench.background import Report, Work
from workbench.evaluations import evaluations, metrics_named
from workbench.replays import ReplayRequest, carry_out, plan_replay
from workbench.services import Services
from workbench.text import count

if TYPE_CHECKING:
    from evals.compare import Comparison
    from evals.tuning.versions import PromptWorkspace

AUTHOR = "optimiser"
TURNS = 40  # to search with, unless told otherwise
SEARCHES = "searches"  # below QBS_HOME


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """What a person asks for. `calls` and `cost_usd` bound everything: the search and the test of its winner.

    `prompts` names the set to begin with, `turns` how many labelled turns to search with at most, `sections` what of
    the prompt may change (none: its instructions).
    """

    prompt: str
    dataset: str
    metrics: tuple[str, ...]
    calls: int
    cost_usd: float | None = None
    prompts: str = "shipped"
    variant: str = "llm"
    holdout: float = 0.3
    seed: int = 0
    turns: int = TURNS
    patience: int = PATIENCE
    sections: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlannedSearch:
    """A search that may or may not have begun. `search_calls` is what the test of the winner leaves of the budget."""

    request: SearchRequest
    spec: SearchSpec
    first: PromptSet
    dataset: Dataset
    halves: Holdout
    metrics: tuple[Metric, ...]
    variant: Variant
    search_calls: int

    @property
    def prompt(self) -> Prompt:
        return self.first.prompt(self.request.prompt)


@dataclass(frozen=True)
class Searched:
    """What came of a search. `comparison` is the winner against the first on held-out turns; None if not made."""

    record: SearchRecord
    found: Found
    comparison: Comparison | None


def plan_search(services: Services, request: SearchRequest) -> PlannedSearch:
    """The search that is meant; asking for the same twice gives the same search. Nothing is asked yet.

    Raises ConfigurationError without gepa or a model; PromptError, InputError or UnknownNameError for what cannot be
    searched for, and why; InputError for a budget that is too small to begin with.
    """
    import_gepa()
    check_searchable(request.prompt)
    metrics = metrics_named(request.metrics)
    check_shares(metrics)
    first = PromptSet.of(services.prompts(request.prompts))
    sections = request.sections or sections_to_search(first.prompt(request.prompt))
    if unknown := [name for name in sections if name not in first.prompt(request.prompt).sections]:
        raise InputError(f"the prompt {request.prompt} has no section {unknown[0]!r}")
    dataset = services.dataset(request.dataset)
    variant = services.variant(request.variant, dataset, first.library())
    shown = shown_conversations(variant.examples, dataset.name)
    halves = hold_out(dataset, request.holdout, request.seed, shown=shown)
    spec = _spec(replace(request, sections=sections), first, dataset, halves, metrics, variant)
    return PlannedSearch(request, spec, first, dataset, halves, metrics, variant, _search_calls(request, halves))


async def search(
    services: Services,
    planned: PlannedSearch,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    stop: asyncio.Event | None = None,
) -> Searched:
    """Search, keep every candidate as a version, and test the winner once on what was held out.

    What was asked before is answered from recordings, so that repeating a search that ended at a limit, or was killed,
    pays for nothing twice. Raises what `plan_search` raises, and ConfigurationError where asking can only be in vain.
    """
    services, stop = _reusing(services), stop or asyncio.Event()
    ledger = Ledger(_limits(planned))
    kept = _Kept(services.prompt_workspace(), planned)

    def note(candidate: Candidate) -> None:
        kept.keep(candidate)
        if on_progress is not None:
            on_progress(_progress(planned, ledger.spent))

    found = await _found(services, planned, ledger, note, stop)
    for candidate in found.candidates:
        kept.keep(candidate)
    record = _record(planned, found, kept, ledger.spent)
    save_search(services.settings.home / SEARCHES, record)
    if record.winner is None or stop.is_set() or found.ended is SearchEnd.UNANSWERED:
        return Searched(record, found, None)
    runs = await _held_out(services, planned, record.winner, ledger.spent, stop)
    record = record.model_copy(update={"held_out": runs})
    save_search(services.settings.home / SEARCHES, record)
    return Searched(record, found, compared(services, planned.metrics, runs) if runs.complete else None)


def searching(services: Services, request: SearchRequest) -> Work:
    """A search as a job; its progress counts calls."""

    async def work(report: Report, stop: asyncio.Event) -> str:
        planned = await asyncio.to_thread(plan_search, services, request)
        searched = await search(services, planned, on_progress=report, stop=stop)
        record = searched.record
        kept = f"{count(len(record.candidates) - 1, 'candidate')} kept"
        won = "nothing better was found" if record.winner is None else f"the winner is the set {record.winner[:8]}"
        return f"{record.ended.capitalize()}: {kept}, {won}."

    return work


def compared(services: Services, metrics: tuple[Metric, ...], runs: HeldOutRuns) -> Comparison:
    """The winner against what the search began with, on the conversations that it never saw."""
    from evals.compare import compare
    from evals.evaluation import only_metrics

    judged = evaluations(services, [runs.first, runs.second])
    return compare(*(only_metrics(own.scores(), metrics) for own in judged))


def _spec(
    request: SearchRequest,
    first: PromptSet,
    dataset: Dataset,
    halves: Holdout,
    metrics: tuple[Metric, ...],
    variant: Variant,
) -> SearchSpec:
    if variant.reasoning_model is None or variant.fast_model is None:
        raise ConfigurationError(f"a search needs a model to ask, and the variant {variant.name} has none")
    return SearchSpec(
        prompt=request.prompt,
        prompts=first.hash,
        dataset=dataset.name,
        dataset_hash=dataset.hash_of(own.id for own in (*halves.search, *halves.held_out)),
        metrics=tuple(metric.name for metric in metrics),
        sections=request.sections,
        reasoning_model=variant.reasoning_model,
        fast_model=variant.fast_model,
        holdout=request.holdout,
        seed=request.seed,
        turns=request.turns,
        patience=request.patience,
    )


async def _found(
    services: Services,
    planned: PlannedSearch,
    ledger: Ledger,
    note: Callable[[Candidate], None],
    stop: asyncio.Event,
) -> Found:
    """The search itself, which is given the conversations that it may see and no others."""
    settings, spec, request = services.settings, planned.spec, planned.request
    examples = await search_turns(planned.halves.search, planned.dataset, request.turns, request.seed)
    models = {"reasoning": spec.reasoning_model, "fast": spec.fast_model, None: spec.fast_model}
    async with services.model_service(ledger=ledger) as service:
        await service.warm_up()
        priced = replace(settings, max_cost_usd=request.cost_usd)
        check_askable(models_to_ask(planned.variant, settings), priced)
        return await optimise(
            planned.prompt,
            examples,
            PartAnswers(service, planned.first.library(), models, settings.deadline_seconds),
            Reflection(service, spec.reasoning_model, planned.metrics),
            Goal(planned.metrics, spec.sections, request.seed, request.patience),
            concurrency=settings.concurrency,
            on_candidate=note,
            stop=stop,
        )


class _Kept:
    """The candidates as versions of the workspace."""

    def __init__(self, workspace: PromptWorkspace, planned: PlannedSearch) -> None:
        self._workspace = workspace
        self._planned = planned
        self.refs = {0: planned.prompt.ref}  # by number

    def keep(self, candidate: Candidate) -> None:
        if candidate.number in self.refs:
            return
        text = candidate.prompt.content.decode()
        parent = self.refs[candidate.parent or 0]
        saved = self._workspace.save(candidate.prompt.name, text, parent=parent, author=AUTHOR, note=candidate.note)
        self.refs[candidate.number] = saved.ref

    def winner(self, found: Found) -> str | None:
        """The hash of the set with the best candidate; None if nothing beats what the search began with."""
        if found.best is None or found.best.number == 0:
            return None
        return self._workspace.save_set(
            [self.refs[found.best.number]],
            author=AUTHOR,
            parent=self._planned.request.prompts,
            note=f"winner of the search {self._planned.spec.search_id}; {found.best.note}",
        ).hash


def _record(planned: PlannedSearch, found: Found, kept: _Kept, spent: Spend) -> SearchRecord:
    front = {own.number for own in found.front}
    return SearchRecord(
        search_id=planned.spec.search_id,
        spec=planned.spec,
        date=datetime.now(UTC),
        ended=found.ended,
        reason=found.reason,
        candidates=tuple(
            SearchedCandidate(
                number=own.number,
                version=kept.refs[own.number],
                parent=own.parent,
                scores=None if own.scores is None else dict(own.scores),
                note=own.note,
                on_front=own.number in front,
            )
            for own in found.candidates
        ),
        refused=found.refused,
        held_out_conversations=tuple(own.id for own in planned.halves.held_out),
        calls=spent.calls,
        tokens=spent.tokens,
        cost_usd=spent.cost_usd,
        winner=kept.winner(found),
    )


async def _held_out(
    services: Services, planned: PlannedSearch, winner: str, spent: Spend, stop: asyncio.Event
) -> HeldOutRuns:
    """Both sets over the held-out conversations: ordinary runs, with what the search has left of the budget."""
    sets = (planned.first, services.prompt_workspace().set_of(services.prompt_workspace().set(winner).prompts))
    limited = _with_rest(services, planned.request, spent)
    ended, ids = [], []
    for own in sets:
        wanted = ReplayRequest(
            planned.dataset.name,
            conversations=tuple(held.id for held in planned.halves.held_out),
            variant=planned.request.variant,
            prompts=own.library(),
        )
        outcome = await carry_out(limited, plan_replay(limited, wanted), stop=stop)
        ids.append(outcome.run_id)
        ended.append(outcome.ended)
    return HeldOutRuns(first=ids[0], second=ids[1], complete=set(ended) == {"complete"})


def _search_calls(request: SearchRequest, halves: Holdout) -> int:
    """The calls that are left for searching. Raises InputError if they do not even reach for a first look."""
    held_out = sum(len(own.customer_turns) for own in halves.held_out)
    turns = min(request.turns, sum(len(own.customer_turns) for own in halves.search))
    test = 2 * CALLS_A_TURN * held_out
    if request.calls - test <= turns:
        raise InputError(
            f"{count(request.calls, 'call')} are too few: testing the winner on {count(held_out, 'held-out turn')} may "
            f"take {test}, and looking once at the {count(turns, 'turn')} to search with takes {turns}; "
            "allow more calls, or hold out or search with less"
        )
    return request.calls - test


def _limits(planned: PlannedSearch) -> Limits:
    """What the search itself may spend: of the money, the same share as of the calls."""
    request = planned.request
    cost = None if request.cost_usd is None else request.cost_usd * planned.search_calls / request.calls
    return Limits(planned.search_calls, None, cost)


def _with_rest(services: Services, request: SearchRequest, spent: Spend) -> Services:
    """Services with half of what is left, for each of the two runs of the test."""
    calls = max(0, request.calls - spent.calls) // 2
    cost = None if request.cost_usd is None else max(0.0, request.cost_usd - (spent.cost_usd or 0.0)) / 2
    return replace(services, settings=replace(services.settings, max_calls=calls, max_cost_usd=cost))


def _reusing(services: Services) -> Services:
    """The same services, which answer from recordings what was asked before."""
    if services.settings.recording_mode == "recorded":
        return services
    return replace(services, settings=replace(services.settings, recording_mode="reuse"))


def _progress(planned: PlannedSearch, spent: Spend) -> Progress:
    totals = RunTotals(cost_usd=spent.cost_usd)
    return Progress(spent.calls, planned.request.calls, None, None, totals)
