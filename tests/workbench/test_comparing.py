"""Comparisons are made once, kept by what they were made of, and told from those of other parts and views."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import InputError
from engine.model.conversation import Channel, Persona
from evals.compare import compare_paired, judged_together
from evals.judgements import question_of
from evals.library import Dataset
from evals.metrics import METRICS, find_metric
from evals.metrics.judged import View
from evals.progress import Progress
from evals.runs.judgements import judgements_hash, writing_judgements
from evals.slices import Slice
from tests.evals.judged_runs import judgement
from tests.workbench.prepared import DATASET, prepare
from workbench.comparing import Comparisons, RunState, Wanted, comparing
from workbench.services import Services
from workbench.settings import Settings

TURNS = 7


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return Services(Settings(home=tmp_path), shipped=tmp_path / "none")


@pytest.fixture
def wanted(services: Services) -> Wanted:
    first, second = prepare(services.settings.home)
    return Wanted("as read", RunState(first, TURNS), RunState(second, TURNS), View.MODEL, Slice())


@pytest.fixture
def dataset(services: Services, wanted: Wanted) -> Dataset:
    return services.dataset(DATASET)


def test_a_comparison_is_made_once(services: Services, wanted: Wanted, dataset: Dataset) -> None:
    comparisons = Comparisons(services)
    assert comparisons.found(wanted) is None
    made = comparisons.compare(wanted, dataset)
    assert comparisons.compare(wanted, dataset) is made
    assert comparisons.found(replace(wanted)) is made
    assert made.comparison.turns == TURNS


def test_each_run_is_judged_once_in_each_view(services: Services, wanted: Wanted, dataset: Dataset) -> None:
    comparisons = Comparisons(services)
    made = comparisons.compare(wanted, dataset)
    turned = comparisons.compare(replace(wanted, first=wanted.second, second=wanted.first), dataset)
    assert (turned.first, turned.second) == (made.second, made.first)
    assert comparisons.compare(replace(wanted, view=View.ALL), dataset).first is not made.first


@pytest.mark.parametrize(
    ("part", "turns"), [(Slice(), 7), (Slice(personas=(Persona.MANAGER,)), 6), (Slice(conversations=("hostile",)), 1)]
)
def test_a_part_is_compared_alone(
    services: Services, wanted: Wanted, dataset: Dataset, part: Slice, turns: int
) -> None:
    assert Comparisons(services).compare(replace(wanted, part=part), dataset).comparison.turns == turns


def test_a_page_waits_for_a_part_of_what_was_compared_and_judges_nothing_anew(
    services: Services, wanted: Wanted, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.comparing.AT_ONCE", 0)
    comparisons, part = Comparisons(services), replace(wanted, part=Slice(personas=(Persona.MANAGER,)))
    assert not comparisons.is_quick(part)
    comparisons.compare(wanted, dataset)
    assert comparisons.is_quick(part)
    monkeypatch.setattr("evals.evaluation.evaluate_all", None)
    assert comparisons.compare(part, dataset).comparison.turns == 6


def test_a_part_without_turns_is_refused_with_what_to_do(services: Services, wanted: Wanted, dataset: Dataset) -> None:
    nothing = replace(wanted, part=Slice(channels=(Channel.CALL,)))
    with pytest.raises(InputError, match="take some away"):
        Comparisons(services).compare(nothing, dataset)


def test_what_moved_is_counted_once_and_who_was_right(services: Services, wanted: Wanted, dataset: Dataset) -> None:
    made = Comparisons(services).compare(wanted, dataset)
    metric = find_metric("known.f1")
    assert made.changes(metric) is made.changes(metric)
    assert sum(made.outcomes(metric).values()) == len(made.changes(metric)) > 0


def judged(services: Services, run_id: str, model: str, rating: int) -> str:
    """Have `model` rate every question of a run; the hash of all that was judged there."""
    folder = services.run(run_id)
    questions = {question_of(record) for record in folder.records()} - {None}
    with writing_judgements(folder.path, lambda _: None) as submit:
        for question in questions:
            submit(judgement(rating, rating, of=tuple(question), model=model))
    return judgements_hash(folder.path)


def test_both_runs_are_judged_by_the_judge_who_judged_both(
    services: Services, wanted: Wanted, dataset: Dataset
) -> None:
    comparisons, runs = Comparisons(services), (wanted.first.run_id, wanted.second.run_id)
    judged(services, runs[0], "only/the-first", 4)
    judged(services, runs[0], "only/the-first-again", 4)
    alone = replace(wanted, judgements=tuple(judgements_hash(services.run(run).path) for run in runs))
    assert comparisons.compare(alone, dataset).comparison.row("judged.naturalness").first.value is None
    hashes = (judged(services, runs[0], "both", 2), judged(services, runs[1], "both", 3))
    row = comparisons.compare(replace(wanted, judgements=hashes), dataset).comparison.row("judged.naturalness")
    assert (row.first.value, row.second.value) == (2.0, 3.0)


def test_another_judgement_is_another_comparison(services: Services, wanted: Wanted, dataset: Dataset) -> None:
    comparisons = Comparisons(services)
    made = comparisons.compare(wanted, dataset)
    again = replace(wanted, judgements=(judged(services, wanted.first.run_id, "m", 3), ""))
    assert comparisons.found(again) is None
    assert again.key != wanted.key
    assert comparisons.compare(again, dataset) is not made


def test_verdicts_of_several_share_what_was_made(services: Services, wanted: Wanted, dataset: Dataset) -> None:
    made, metric = Comparisons(services).compare(wanted, dataset), find_metric("known.f1")
    changes = made.changes(metric)
    (first, _) = judged_together([made.comparison, made.comparison])
    told = made.judged_as(first)
    assert (told.comparison.together, made.comparison.together) == (2, 1)
    assert told.changes(metric) is changes


def test_breakdowns_come_when_asked_for_as_if_compared_with_the_rest(
    services: Services, wanted: Wanted, dataset: Dataset
) -> None:
    made = Comparisons(services).compare(wanted, dataset)
    assert not any(row.metric.detail for row in made.comparison.rows)
    assert made.with_breakdowns().comparison == compare_paired(made.paired)
    assert made.with_breakdowns().changes(METRICS[0]) is made.changes(METRICS[0])


async def test_in_the_background_it_says_how_far_it_is(services: Services, wanted: Wanted, dataset: Dataset) -> None:
    comparisons, told = Comparisons(services), []
    outcome = await comparing(comparisons, wanted, dataset)(told.append, asyncio.Event())
    assert outcome == f"Compared {TURNS} turns."
    assert [(progress.done, progress.total) for progress in told] == [(0, 14), (7, 14), (14, 14)]
    assert comparisons.found(wanted) is not None


async def test_once_stopped_it_keeps_what_was_judged(services: Services, wanted: Wanted, dataset: Dataset) -> None:
    stop, comparisons = asyncio.Event(), Comparisons(services)

    def stop_after_the_first(progress: Progress) -> None:
        if progress.done:
            stop.set()

    outcome = await comparing(comparisons, wanted, dataset)(stop_after_the_first, stop)
    assert "stopped" in outcome
    assert comparisons.found(wanted) is None


async def test_it_can_be_stopped_while_a_run_is_scored(
    services: Services, wanted: Wanted, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.comparing.TOLD_AT_ONCE", 2)
    stop, told = asyncio.Event(), []

    def stop_early(progress: Progress) -> None:
        told.append(progress.done)
        if progress.done >= 2:
            stop.set()

    assert "stopped" in await comparing(Comparisons(services), wanted, dataset)(stop_early, stop)
    assert told == [0, 2]
