"""The confidence of what was extracted: a run over labelled conversations, read source by source."""

from __future__ import annotations

from dataclasses import asdict

import streamlit as st

from evals.runs.rows import RunRow
from workbench.components import calibration_extraction as drawn
from workbench.components import empty
from workbench.presenters import calibration_extraction as extraction
from workbench.presenters.sides import side_names
from workbench.session import offer
from workbench.views import calibration_place as place
from workbench.views import calibration_reading, reading
from workbench.views.calibration_place import CalibrationPlace

_COLUMN_PIXELS = 420


def choose(goal: CalibrationPlace | None) -> RunRow | None:
    """The run to look at: one over a data set with labels; None if there is none."""
    rows = [row for row in reading.runs() if row.turns and row.variant != "labels" and _labelled(row.dataset)]
    if not rows:
        drawn.no_runs()
        return None
    ids = [row.run_id for row in rows]
    usual = next((row.run_id for row in rows if row.variant != "rules"), ids[0])
    missing = offer(place.RUN, ids, goal.run if goal else None, usual)
    if missing is not None:
        empty.problem(f"There is no run {missing} over labelled conversations; another one is shown.")
    named = zip(rows, side_names(rows), strict=True)
    drawn.run({row.run_id: f"{name} · {row.dataset} · {row.run_id}" for row, name in named}, place.RUN)
    return next(row for row in rows if row.run_id == st.session_state[place.RUN])


def show(row: RunRow) -> None:
    """The diagram of each source, and the table of their dimensions."""
    found = calibration_reading.extraction(row)
    if not found:
        st.markdown("Nothing was extracted from a turn that somebody has labelled.")
        return
    whole = [own for own in found if own.dimension is None]
    parts = st.grid(2, min_column_width=_COLUMN_PIXELS)
    with parts.cell(), st.container(border=True, height="stretch"):
        series = {extraction.source_name(own.source): [asdict(each) for each in own.reading.bins] for own in whole}
        drawn.diagrams(series)
    with parts.cell(), st.container(border=True, height="stretch"):
        drawn.table([extraction.sentence(own) for own in whole], extraction.extraction_table(found))


def _labelled(dataset: str) -> bool:
    """Whether there are labels to judge by; a data set that is gone, or cannot be read, has none to go by."""
    folder = reading.services().dataset_folders().get(dataset)
    return folder is not None and (folder / "labels.jsonl").is_file()
