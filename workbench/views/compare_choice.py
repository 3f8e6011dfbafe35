"""What the Compare page is about: from the address, from the widgets, or what a newcomer would begin with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from engine.errors import QBSError
from evals.dataset_manifest import RECORDINGS
from evals.library import Dataset
from evals.metrics.judged import View
from evals.records import RunStatus
from evals.runs.rows import RunRow
from evals.slices import Slice
from workbench.components import compare_choosing, compare_starting, empty, replaying
from workbench.presenters.compare_turns import Talks
from workbench.presenters.customer_text import on_one_line
from workbench.presenters.links import not_here
from workbench.presenters.runs import default_sides, variant_to_add
from workbench.presenters.sides import side_names, variant_words
from workbench.session import offer
from workbench.variants import CHOICES
from workbench.views import compare_place as place
from workbench.views import compare_reading, reading
from workbench.views.compare_place import ComparePlace

_MOST_OTHERS = 3
_FEWEST = 2


@dataclass(frozen=True, slots=True)
class CompareChoice:
    """Runs of a data set: each of `others` is measured against `first`, `shown` is looked at closely."""

    dataset: Dataset
    talks: Talks
    first: RunRow
    others: tuple[RunRow, ...]
    shown: RunRow
    names: Mapping[str, str]  # of the runs, by id
    view: View
    part: Slice

    @property
    def sides(self) -> tuple[str, str]:
        return self.names[self.first.run_id], self.names[self.shown.run_id]

    @property
    def is_model_against_rules(self) -> bool:
        return self.first.variant == "rules" and self.shown.variant not in ("rules", "labels")


def choose(goal: ComparePlace | None) -> CompareChoice | None:
    """Draw what there is to choose from, set to `goal` where one is given; None if there is nothing to compare."""
    datasets = reading.services().dataset_names()
    if not datasets:
        empty.no_conversations()
        return None
    rows = reading.runs()
    name = _dataset(goal, datasets, rows)
    if len(datasets) > 1:
        compare_choosing.dataset(datasets, place.DATASET)
    try:
        with st.spinner("Reading the conversations", show_time=True):
            dataset = reading.dataset(name)
    except QBSError as error:
        empty.unreadable(name, error)
        return None
    own = [row for row in rows if row.dataset == name and row.turns]
    compare_starting.unfinished(reading.services(), [row for row in own if row.status is RunStatus.INCOMPLETE])
    if len(own) < _FEWEST:
        _too_few(dataset, own)
        return None
    return _chosen(dataset, own, goal)


def _dataset(goal: ComparePlace | None, datasets: Sequence[str], rows: Sequence[RunRow]) -> str:
    """The data set of the run that a link names, else the one chosen, else one that has something to compare."""
    of_run = {row.run_id: row.dataset for row in rows}
    linked = next((of_run[run] for run in (goal.runs if goal else ()) if run in of_run), None)
    counted = {name: sum(row.dataset == name for row in rows) for name in datasets}
    offer(place.DATASET, datasets, linked, max(datasets, key=lambda name: min(counted[name], _FEWEST)))
    return str(st.session_state[place.DATASET])


def _chosen(dataset: Dataset, rows: Sequence[RunRow], goal: ComparePlace | None) -> CompareChoice:
    names = dict(zip([row.run_id for row in rows], side_names(rows), strict=True))
    _offer_runs(rows, names, goal.runs if goal else ())
    if goal is not None:
        place.set_part(goal.part)
    offer(place.VIEW, list(View), goal.view if goal else None)
    talks = compare_reading.talks(dataset)
    bar = st.grid(8, min_column_width=125, vertical_alignment="bottom")
    with bar.cell(column_span=2):
        compare_choosing.first(names, place.FIRST)
    first = st.session_state[place.FIRST]
    further = {run: name for run, name in names.items() if run != first}
    with bar.cell(column_span=2):
        compare_choosing.others(further, place.OTHERS, _MOST_OTHERS)
    with bar.cell(column_span=2):
        compare_choosing.view(place.VIEW)
    with bar.cell():
        compare_choosing.filters(talks, place.part(), place.FILTERS)
    with bar.cell():
        _start(dataset)
    by_id = {row.run_id: row for row in rows}
    others = tuple(by_id[run] for run in st.session_state[place.OTHERS]) or (by_id[next(iter(further))],)
    shown = _shown(others, names, goal.shown if goal else None)
    return CompareChoice(
        dataset,
        talks,
        by_id[first],
        others,
        by_id[shown],
        names,
        View(st.session_state[place.VIEW]),
        place.part(),
    )


def _offer_runs(rows: Sequence[RunRow], names: Mapping[str, str], wanted: Sequence[str]) -> None:
    """The runs that a link names, else those chosen, else two that a newcomer would compare."""
    for run in wanted:
        if run not in names:
            st.info(on_one_line(not_here("run", run, None)), icon=":material/link_off:")
    there = [run for run in wanted if run in names]
    first, *others = default_sides(rows, reading.unanswered(rows)) or list(names)
    offer(place.FIRST, list(names), there[0] if there else None, first)
    chosen = there[1:] or [run for run in st.session_state.get(place.OTHERS) or () if run in names]
    baseline = st.session_state[place.FIRST]
    sensible = [run for run in (*others, first, *names) if run != baseline][:1]
    kept = [run for run in chosen if run != baseline][:_MOST_OTHERS] or sensible
    if kept != st.session_state.get(place.OTHERS):
        st.session_state[place.OTHERS] = kept


def _shown(others: Sequence[RunRow], names: Mapping[str, str], wanted: str | None) -> str:
    ids = [row.run_id for row in others]
    offer(place.SHOWN, ids, wanted, ids[0])
    if len(ids) > 1:
        compare_choosing.shown({run: names[run] for run in ids}, place.SHOWN)
    return str(st.session_state[place.SHOWN])


def _start(dataset: Dataset) -> None:
    services = reading.services()
    variants = [choice for choice in CHOICES[:3] if choice != "recorded" or services.has_recordings(dataset.name)]
    settings = services.settings
    configured = settings.reasoning_model or settings.fast_model
    compare_starting.start(services, dataset.name, [*variants, "llm"] if configured else variants)


def _too_few(dataset: Dataset, rows: Sequence[RunRow]) -> None:
    """What to do for something to compare."""
    services = reading.services()
    variant = variant_to_add(
        {row.variant for row in rows},
        recorded=dataset.folder / RECORDINGS in services.recording_folders,
        labelled=bool(dataset.labels),
    )
    empty.nothing_to_compare(len(rows))
    if variant is None:
        empty.model_needed(dataset.name)
    else:
        replaying.offer(services, dataset.name, variant, f"Replay {dataset.name} by {variant_words(variant)}")
