"""Replays begun from a page: an offer, the command that does the same, and how far a job is."""

from __future__ import annotations

import shlex

import streamlit as st

from workbench.background import Job, JobStatus, background
from workbench.jobs import replay_key, replaying
from workbench.presenters.customer_text import on_one_line
from workbench.services import Services
from workbench.text import count, duration, money

_SECONDS = 1.0


def offer(services: Services, dataset: str, variant: str, label: str) -> None:
    """A button that replays the data set by `variant` in the background, and what came of it if it was pressed."""
    key = replay_key(dataset, variant)
    job = background().job(key)
    running = job is not None and not job.ended
    if job is not None and job.outcome:
        (st.error if job.status is JobStatus.FAILED else st.caption)(on_one_line(job.outcome))
    st.button(
        label,
        icon=":material/play_arrow:",
        type="primary",
        key=key,
        disabled=running,
        on_click=_begin,
        args=(services, dataset, variant),
    )
    st.caption("The same on the command line:")
    st.code(shlex.join(["qbs", "replay", dataset, "--variant", variant]), language=None, wrap_lines=True)


def under_way() -> None:
    """How far the jobs are that have not ended, each with a way to stop it."""
    for job in background().jobs():
        if not job.ended:
            _progress(job.key)


@st.fragment(run_every=_SECONDS)
def _progress(key: str) -> None:
    """Ask now and then how far the job is; when it has ended the page is drawn anew."""
    job = background().job(key)
    if job is None or job.ended:
        st.rerun()
    with st.container(border=True):
        _bar(job)


def _bar(job: Job) -> None:
    progress = job.progress
    done = progress.done / progress.total if progress and progress.total else 0.0
    st.progress(min(done, 1.0), text=f"{on_one_line(job.title)}: {_far(job)}")
    stopping = job.status is JobStatus.STOPPING
    st.button(
        f"Stopping after the {job.unit}s under way" if stopping else "Stop",
        icon=":material/stop:",
        key=f"stop {job.key}",
        disabled=stopping,
        on_click=background().stop,
        args=(job.key,),
    )


def _far(job: Job) -> str:
    progress = job.progress
    if progress is None:
        return "beginning"
    parts = [f"{progress.done:,} of {count(progress.total, job.unit)}"]
    parts += [f"{duration(progress.seconds_left)} left"] if progress.seconds_left is not None else []
    if job.unit != "turn" and progress.turns_per_second:
        parts.append(f"{progress.turns_per_second:,.0f} a second")
    parts += [count(progress.fallbacks, "fallback")] if progress.fallbacks else []
    parts += [f"{money(progress.cost_usd)} so far"] if progress.cost_usd else []
    return on_one_line(", ".join(parts))


def _begin(services: Services, dataset: str, variant: str) -> None:
    from workbench.replays import ReplayRequest

    request = ReplayRequest(dataset, variant=variant)
    background().submit(replay_key(dataset, variant), f"{dataset} by {variant}", replaying(services, request))
