"""What the Compare page reads beside the rest: comparisons, made in the background where a page could not wait."""

from __future__ import annotations

import streamlit as st

from engine.prompts import PromptLibrary
from evals.library import Dataset
from evals.metrics.judged import View
from evals.records import Variant
from evals.runs.judgements import judgements_hash
from evals.runs.rows import RunRow
from evals.slices import Slice
from workbench.background import Job, background
from workbench.comparing import Compared, Comparisons, RunState, Wanted, comparing
from workbench.presenters.compare_turns import Talks
from workbench.views import reading


@st.cache_resource(show_spinner=False)
def comparisons() -> Comparisons:
    """One for the server: a comparison that somebody waited for is there for everybody."""
    return Comparisons(reading.services())


def wanted(first: RunRow, second: RunRow, view: View, part: Slice) -> Wanted:
    one, other = (RunState(row.run_id, row.turns) for row in (first, second))
    judgements = (_judgements(first.run_id), _judgements(second.run_id))
    return Wanted(reading.dataset_stamp(first.dataset), one, other, view, part, judgements)


def _judgements(run_id: str) -> str:
    """The hash of what models said of a run's questions."""
    return judgements_hash(reading.services().runs_folder / run_id)


def talks(dataset: Dataset) -> Talks:
    return _talks(dataset.name, reading.dataset_stamp(dataset.name))


@st.cache_resource(show_spinner=False, max_entries=20)
def _talks(name: str, stamp: reading.Stamp) -> Talks:
    return Talks.of(reading.dataset(name))


def compared(asked: Wanted, dataset: Dataset) -> Compared | None:
    """The comparison; None while it is made in the background. Raises InputError if it cannot be made."""
    under_way = job(asked)
    if under_way is not None and not under_way.ended:
        return None
    if (found := comparisons().found(asked)) is not None:
        return found
    if comparisons().is_quick(asked):
        with st.spinner("Comparing turn by turn"):
            return comparisons().compare(asked, dataset)
    return None


def begin(asked: Wanted, dataset: Dataset, title: str) -> Job:
    """Have it made in the background, unless it is being made already."""
    return background().submit(asked.key, title, comparing(comparisons(), asked, dataset))


def job(asked: Wanted) -> Job | None:
    return background().job(asked.key)


@st.cache_resource(show_spinner=False, max_entries=200)
def variant(run_id: str) -> Variant:
    """What answered in a run. Raises RunError if its folder cannot be read."""
    return reading.services().run(run_id).manifest.spec.variant


@st.cache_resource(show_spinner=False)
def prompts() -> PromptLibrary:
    return reading.services().prompts()
