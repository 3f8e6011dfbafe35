"""The calibration in use for a tenant: whether it is still right, publishing what was fitted, and going back."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import streamlit as st

from engine.calibration.values import FittedCalibration, PublishedCalibration
from engine.errors import QBSError
from workbench.background import background
from workbench.calibrations import Standing
from workbench.components import calibration_figures as drawn
from workbench.components import calibration_use as using
from workbench.components import details, empty
from workbench.person import user_name
from workbench.presenters import calibration_use as uses
from workbench.presenters.customer_text import on_one_line
from workbench.views import calibration_reading as reading

_PROBLEM, _DONE = "calibration.problem", "calibration.done"
_COLUMN_PIXELS = 420


def say_what_was_done() -> None:
    """What came of the last click, once."""
    if problem := st.session_state.pop(_PROBLEM, None):
        empty.problem(problem)
    if done := st.session_state.pop(_DONE, None):
        st.success(on_one_line(done), icon=":material/check:")


def show(tenant: str, fitted: FittedCalibration | None) -> None:
    """What live engines report by now; an unreachable database leaves the rest of the page alone."""
    details.heading("In use")
    try:
        standing = reading.standing(tenant)
    except QBSError as error:
        empty.problem(str(error))
        return
    published, seen = standing.in_use, standing.newest
    parts = st.grid(2, min_column_width=_COLUMN_PIXELS)
    with parts.cell(), st.container(border=True, height="stretch"):
        using.in_use(uses.in_use_sentence(published))
        if published is not None and published.calibration.cells:
            _still_right(tenant, published)
        if fitted is not None:
            _publish(tenant, fitted, standing)
    with parts.cell(), st.container(border=True, height="stretch"):
        details.title("History", "Rows are only ever added: going back is a row too.")
        back = partial(_roll_back, tenant, seen)
        using.history(uses.published_lines(standing.history), back, partial(back, None))


def _still_right(tenant: str, published: PublishedCalibration) -> None:
    """Alerts, and how it reads on outcomes that it was not learned from, where there are enough."""
    checked = reading.checked(tenant, published)
    using.alerts(uses.alert_lines(checked), uses.checked_sentence(checked))
    since = reading.since(tenant, published)
    if since is not None:
        engine, calibrated = since
        drawn.diagram({"The engine, since": engine["bins"], "Calibrated, since": calibrated["bins"]}, "answered")


def _publish(tenant: str, fitted: FittedCalibration, standing: Standing) -> None:
    name, published, reason = fitted.calibration.name, standing.in_use, ""
    if not fitted.calibration.cells:
        reason = "What was fitted corrects nothing, so there is nothing to publish."
    elif published is not None and published.name == name:
        reason = f"{name} is in use already."
    using.publish(name, can=reason, person=user_name(), on_click=partial(_put_to_use, tenant, standing.newest, fitted))


def _put_to_use(tenant: str, seen: int, fitted: FittedCalibration) -> None:
    """`seen` is the newest number that the page showed: nobody overrules what they have not seen."""
    note = str(st.session_state.get(using.NOTE) or "")
    if not note.strip():
        st.session_state[_PROBLEM] = "Say why, in a few words: the note is kept with it."
        return
    _do(
        lambda: reading.calibrations(tenant).publish(fitted, by=_person(), note=note, since=seen),
        "is in use from now on",
    )


def _roll_back(tenant: str, seen: int, to: int | None) -> None:
    note = str(st.session_state.get(using.NOTE) or "").strip() or "from the Calibration page"
    _do(
        lambda: reading.calibrations(tenant).roll_back(to, by=_person(), note=note, since=seen),
        "is in use again",
    )


def _do(work: Callable[[], Coroutine[Any, Any, PublishedCalibration]], what: str) -> None:
    """Do it in the database; what came of it, or why nothing did, is said when the page is drawn."""
    try:
        published = background().call(work(), reading.SECONDS)
    except QBSError as error:
        st.session_state[_PROBLEM] = str(error)
        return
    name = published.name if published.calibration.cells else "No correction"
    st.session_state[_DONE] = f"{name} {what}: number {published.number}. Live engines follow within a minute."


def _person() -> str:
    return str(st.session_state.get(using.BY) or "").strip() or user_name() or ""
