"""Beginning an evaluation from the page, within limits, and going on with one that was interrupted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from evals.runs.rows import RunRow
from workbench.background import Job, JobStatus, background
from workbench.jobs import JobLimits, going_on, replay_key, replaying
from workbench.presenters.customer_text import on_one_line
from workbench.presenters.sides import variant_name
from workbench.services import Services
from workbench.text import count
from workbench.variants import MEANINGS

_VARIANT, _SAMPLES, _CALLS, _TOKENS, _COST, _MINUTES = (
    f"start {name}" for name in ("variant", "samples", "calls", "tokens", "cost", "minutes")
)


def start(services: Services, dataset: str, variants: Sequence[str]) -> None:
    """A folded form: who answers, how often, and when to stop at the latest."""
    with st.popover("New run", icon=":material/play_arrow:", width="stretch"):
        st.caption(on_one_line(f"Replays {dataset} in the background. You may leave, or close the tab."))
        variant = st.selectbox(
            "Who answers",
            variants,
            key=_VARIANT,
            accept_new_options=True,
            format_func=_choice,
            help="Or write a model's name, such as llm:openai/gpt-4.1. Its key has to be in the environment.",
        )
        st.number_input(
            "How often each conversation is asked",
            1,
            20,
            key=_SAMPLES,
            help="More than once shows how far answers vary. Recordings hold one answer to each request.",
        )
        if variant not in ("rules", "labels", "recorded"):
            _limits()
        job = background().job(_key(dataset))
        _told(job)
        st.button(
            "Start",
            key="start run",
            type="primary",
            icon=":material/play_arrow:",
            disabled=not variant or (job is not None and not job.ended),
            on_click=_begin,
            args=(services, dataset),
        )


def _choice(variant: str) -> str:
    meaning = MEANINGS.get(variant)
    return f"{variant}: {meaning}" if meaning else variant


def _limits() -> None:
    st.caption("Stop at the latest after so many. An empty box leaves it to the settings.")
    boxes = st.grid(2, min_column_width=120)
    with boxes.cell():
        st.number_input("Calls", 1, None, None, key=_CALLS)
    with boxes.cell():
        st.number_input("Tokens", 1, None, None, step=1_000, key=_TOKENS)
    with boxes.cell():
        st.number_input("US dollars", 0.01, None, None, key=_COST)
    with boxes.cell():
        st.number_input("Minutes", 1, None, None, key=_MINUTES)


def unfinished(services: Services, rows: Sequence[RunRow]) -> None:
    """The runs that were interrupted, each with a way to go on. `rows` are incomplete, and nobody works on them."""
    for row in rows:
        job = background().job(_resume_key(row))
        if job is not None and not job.ended:
            continue
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            done = f"{row.turns:,} of {count(row.turns_expected, 'turn')} are kept"
            told = on_one_line(job.outcome) if job is not None and job.status is JobStatus.FAILED else ""
            st.markdown(
                f":material/pause_circle: **{on_one_line(variant_name(row))}** was interrupted: {done}. {told}",
                width="stretch",
            )
            st.button("Go on", key=_resume_key(row), icon=":material/resume:", on_click=_resume, args=(services, row))


def _told(job: Job | None) -> None:
    if job is not None and job.outcome:
        (st.error if job.status is JobStatus.FAILED else st.caption)(on_one_line(job.outcome))


def _key(dataset: str) -> str:
    return replay_key(dataset, st.session_state.get(_VARIANT) or "", st.session_state.get(_SAMPLES) or 1)


def _resume_key(row: RunRow) -> str:
    return f"go on {row.run_id}"


def _begin(services: Services, dataset: str) -> None:
    from workbench.replays import ReplayRequest

    variant, samples = st.session_state[_VARIANT], st.session_state[_SAMPLES]
    request = ReplayRequest(dataset, variant=variant, samples=samples)
    title = f"{dataset} by {variant}" + (f", {samples} times" if samples > 1 else "")
    limited = _chosen_limits().on(services)
    background().submit(replay_key(dataset, variant, samples), title, replaying(limited, request))


def _chosen_limits() -> JobLimits:
    calls, tokens, cost, minutes = (st.session_state.get(key) for key in (_CALLS, _TOKENS, _COST, _MINUTES))
    return replace(JobLimits(calls, tokens, cost), seconds=None if minutes is None else 60.0 * minutes)


def _resume(services: Services, row: RunRow) -> None:
    title = f"{row.dataset} by {row.variant}, going on"
    background().submit(_resume_key(row), title, going_on(services, row.run_id))
