"""What the What if page shows: how to have asked, and the reply rate that it would have had, or why nobody can tell."""

from __future__ import annotations

import streamlit as st

from engine.errors import QBSError
from evals.learning.off_policy import WhatIf
from workbench.background import JobStatus
from workbench.components import calibration_choosing, empty
from workbench.components import calibration_figures as figures
from workbench.components import what_if_answer as drawn
from workbench.presenters.customer_text import on_one_line
from workbench.text import count
from workbench.views import reading
from workbench.views import what_if_place as place
from workbench.views import what_if_reading as answers
from workbench.views.what_if_choice import choose

_COLUMN_PIXELS = 420


def page() -> None:
    """Draw it."""
    try:
        _page()
    except QBSError as error:
        empty.problem(str(error))


def _page() -> None:
    st.caption(
        "What other questions would have earned cannot be counted: they were never asked. It can be told from "
        "questions that were chosen at random, with a probability that was written down."
    )
    asked = choose(place.arrive())
    if asked is None:
        return
    place.settle(asked)
    question = answers.asked(asked.tenant or "", asked.policy or "", asked.by, asked.lines)
    found = answers.answer(question)
    if found is None:
        _wait(question)
    else:
        _show(found, asked.tenant or "")


def _wait(question: answers.Asked) -> None:
    """Asked beside the page, since a variant answers every turn anew; a model may cost money, so it takes a click."""
    job = answers.job(question)
    if job is not None and job.status is JobStatus.FAILED:
        empty.problem(job.outcome)
    if job is not None and not job.ended:
        st.caption("Every turn with an outcome is answered anew. You may leave meanwhile.")
        return
    title = f"Asking {question.policy.partition(':')[2]} at the turns with an outcome"
    st.button("Ask", type="primary", icon=":material/play_arrow:", on_click=answers.begin, args=(question, title))


def _show(found: WhatIf, tenant: str) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if found.simulated:
            calibration_choosing.simulated()
        rests = f"{count(found.outcomes, 'resolved outcome')} of {count(found.conversations, 'conversation')}"
        calibration_choosing.rests_on({"database": rests, "alt_route": found.policy})
    if not found.outcomes and not any(getattr(found.left_out, name) for name in found.left_out.__slots__):
        whose = on_one_line(tenant)
        figures.nothing_known(
            f"No outcome of {whose} is in the copy. Bring some, or choose the simulated world above.",
            (f"qbs outcomes sync --tenant {tenant}",),
        )
        return
    parts = st.grid(2, min_column_width=_COLUMN_PIXELS)
    with parts.cell(), st.container(border=True, height="stretch"):
        if found.estimates is not None:
            drawn.answer(found.estimates)
        elif found.refusal is not None:
            drawn.refused(found.refusal, reading.services().settings.exploration, simulated=found.simulated)
    with parts.cell():
        if found.overlap is not None:
            with st.container(border=True):
                drawn.overlap(found.overlap)
        if any(getattr(found.left_out, name) for name in found.left_out.__slots__):
            with st.container(border=True):
                drawn.left_out(found.left_out)
