"""Comparisons are made once, kept by what they were made of, and told from those of other parts and views."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import InputError
from engine.model.conversation import Channel, Persona
from evals.library import Dataset
from evals.metrics import find_metric
from evals.metrics.judged import View
from evals.progress import Progress
from evals.slices import Slice
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


def test_a_part_without_turns_is_refused_with_what_to_do(services: Services, wanted: Wanted, dataset: Dataset) -> None:
    nothing = replace(wanted, part=Slice(channels=(Channel.CALL,)))
    with pytest.raises(InputError, match="take some away"):
        Comparisons(services).compare(nothing, dataset)


def test_what_moved_is_counted_once_and_who_was_right(services: Services, wanted: Wanted, dataset: Dataset) -> None:
    made = Comparisons(services).compare(wanted, dataset)
    metric = find_metric("known.f1")
    assert made.changes(metric) is made.changes(metric)
    assert sum(made.outcomes(metric).values()) == len(made.changes(metric)) > 0


async def test_in_the_background_it_says_how_far_it_is(services: Services, wanted: Wanted, dataset: Dataset) -> None:
    comparisons, told = Comparisons(services), []
    outcome = await comparing(comparisons, wanted, dataset, ("extraction.f1",))(told.append, asyncio.Event())
    assert outcome == f"Compared {TURNS} turns."
    assert [(progress.done, progress.total) for progress in told] == [(0, 14), (7, 14), (14, 14)]
    assert comparisons.found(wanted) is not None


async def test_once_stopped_it_keeps_what_was_judged(services: Services, wanted: Wanted, dataset: Dataset) -> None:
    stop, comparisons = asyncio.Event(), Comparisons(services)

    def stop_after_the_first(progress: Progress) -> None:
        if progress.done:
            stop.set()

    outcome = await comparing(comparisons, wanted, dataset, ())(stop_after_the_first, stop)
    assert "stopped" in outcome
    assert comparisons.found(wanted) is None
