"""What the Demo page shows: the steps with their links, which were seen, a report to take along, and a way back."""

from __future__ import annotations

from importlib import import_module

import streamlit as st
from streamlit.navigation.page import Page as StreamlitPage

from engine.errors import QBSError
from workbench.background import JobStatus
from workbench.components import demo_steps as drawn
from workbench.components import empty
from workbench.presenters import demo_steps as told
from workbench.presenters.demo_values import Address, Step
from workbench.views import demo_place, demo_reading

# The modules of the pages that steps lead to, by title.
PAGES = {
    "Live": "live",
    "Replay": "replay",
    "Compare": "compare",
    "Prompts": "prompts",
    "Outcomes": "outcomes",
    "Calibration": "calibration",
    "What if": "what_if",
}


def page() -> None:
    """Draw it."""
    demo_place.end()
    try:
        _page()
    except QBSError as error:
        empty.problem(str(error))


def leads_to(step: Step) -> tuple[StreamlitPage, Address]:
    """The page of a step, and the query with which it is set up."""
    module = import_module(f"workbench.views.{PAGES[step.page]}")
    return module.as_page(), {**step.address, demo_place.QUERY: step.key}


def _page() -> None:
    job = demo_reading.job()
    if (job is None or job.status is JobStatus.DONE) and demo_reading.is_outdated():
        demo_reading.begin()
        st.rerun()
    path = demo_reading.path()
    drawn.heading(told.minutes(path) if path else "")
    if job is not None and job.ended and job.status is not JobStatus.DONE:
        drawn.not_prepared(job.outcome, demo_reading.begin)
    if not path:
        drawn.waiting()
        return
    _above(path)
    done = demo_place.done()
    following = next((step.key for step in path if step.key not in done), None)
    for number, step in enumerate(path, 1):
        drawn.step(number, step, *leads_to(step), done=step.key in done, following=step.key == following)


def _above(path: tuple[Step, ...]) -> None:
    """How far the presenter is, the report, and the way back to the start."""
    with drawn.bar():
        drawn.how_far(sum(step.key in demo_place.done() for step in path), len(path))
        st.space("stretch")
        drawn.report(_report)
        drawn.reset(_what_goes, _reset)
    resetting = demo_reading.resetting()
    if resetting is not None and resetting.ended:
        drawn.was_reset(resetting.outcome, failed=resetting.status is JobStatus.FAILED)


def _report() -> str:
    from workbench.presenters.demo_report import story

    facts = demo_reading.shelf().facts
    return "" if facts is None else story(facts, demo_reading.path())


def _what_goes() -> int | str:
    """How many rows go, or why none can."""
    try:
        return demo_reading.rows()
    except QBSError as error:
        return str(error)


def _reset() -> None:
    demo_place.begin_anew()
    demo_reading.begin_anew()
