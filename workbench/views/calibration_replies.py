"""The confidence of questions: whose outcomes, how it reads, what is corrected, and what is in use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from engine.calibration.values import FittedCalibration
from engine.errors import InputError
from engine.model.outcome import OutcomeType
from workbench.background import JobStatus
from workbench.components import calibration_choosing as choosing
from workbench.components import calibration_figures as drawn
from workbench.components import details, empty
from workbench.learning import is_simulated
from workbench.presenters import calibration_cells, calibration_figures
from workbench.presenters import calibration_use as uses
from workbench.presenters.calibration_words import CAME
from workbench.presenters.customer_text import on_one_line
from workbench.text import count
from workbench.views import calibration_in_use, calibration_tenants
from workbench.views import calibration_place as place
from workbench.views import calibration_reading as reading
from workbench.views.calibration_place import CalibrationPlace

ENGINE, CALIBRATED = "As the engine says", "Calibrated, out of fold"

_COLUMN_PIXELS = 420
_BAR_PIXELS = 200


@dataclass(frozen=True, slots=True)
class RepliesChoice:
    """Outcomes of one type of a tenant, as they were known at a moment (None: everything that was copied)."""

    tenant: str
    outcome_type: OutcomeType
    as_of: datetime | None


def choose(goal: CalibrationPlace | None) -> RepliesChoice:
    """Draw what there is to choose from, set to `goal` where one is given. Raises InputError for what is no moment."""
    to = goal or CalibrationPlace()
    bar = st.grid(3, min_column_width=_BAR_PIXELS)
    with bar.cell():
        tenant = calibration_tenants.choose(place.WHOSE, to.tenant)
    with bar.cell():
        kind = _outcome_type(to)
    with bar.cell():
        as_of = _as_of(to, tenant, kind)
    return RepliesChoice(tenant, kind, as_of)


def show(choice: RepliesChoice) -> None:
    """Everything about it."""
    found = reading.seen(choice.tenant, choice.outcome_type, choice.as_of)
    fitted = _fitted(choice, found)
    _rests_on(found)
    calibration_in_use.say_what_was_done()
    if found.facts is None:
        _nothing(choice, found)
    else:
        _reads(choice, found, fitted)
        _corrected(choice, found, fitted)
    if choice.outcome_type is OutcomeType.EMAIL_ENGAGEMENT:  # the engine reports no other
        calibration_in_use.show(choice.tenant, fitted)


def _outcome_type(to: CalibrationPlace) -> OutcomeType:
    shared = st.session_state.get(calibration_tenants.OUTCOME_TYPE)
    wanted = to.outcome_type or st.session_state.get(place.TYPE) or shared
    chosen = wanted if wanted in list(OutcomeType) else OutcomeType.EMAIL_ENGAGEMENT
    if st.session_state.get(place.TYPE) != chosen:
        st.session_state[place.TYPE] = chosen
    choosing.outcome_type(place.TYPE)
    st.session_state[calibration_tenants.OUTCOME_TYPE] = str(st.session_state[place.TYPE])
    return OutcomeType(st.session_state[place.TYPE])


def _as_of(to: CalibrationPlace, tenant: str, kind: OutcomeType) -> datetime | None:
    kept = {own.as_of.isoformat(): f"{uses.known(own.as_of)}, when {own.calibration.name} was fitted" for own in
            reading.kept(tenant, kind)}  # fmt: skip
    wanted = to.as_of if to.as_of is not None else st.session_state.get(place.AS_OF)
    if to != CalibrationPlace() and to.as_of is None:
        wanted = ""
    wanted = wanted or ""
    names = {"": "now: everything that was copied", **kept}
    names.setdefault(wanted, wanted)
    if st.session_state.get(place.AS_OF) != wanted:
        st.session_state[place.AS_OF] = wanted
    choosing.as_of(names, place.AS_OF)
    return _moment(st.session_state[place.AS_OF] or "")


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text!r} is no time; one is 2026-03-02, or 2026-03-02T09:00:00+01:00") from None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    if found > datetime.now(UTC):
        raise InputError(f"{text} lies in the future: what is open now may still be answered")
    return found


def _fitted(choice: RepliesChoice, found: reading.Seen) -> FittedCalibration | None:
    """What was fitted to exactly these outcomes."""
    own = (each for each in reading.kept(choice.tenant, choice.outcome_type) if each.as_of == found.as_of)
    return next((each for each in own if each.report.get("outcomes") == found.outcomes), None)


def _rests_on(found: reading.Seen) -> None:
    rests = f"{count(found.outcomes, 'resolved outcome')} of {count(found.conversations, 'conversation')}"
    others = f"{found.all - found.outcomes:,} more are pending, superseded, not sent or not yet looked at"
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if found.simulated:
            choosing.simulated()
        if found.facts is None or found.first is None or found.last is None:
            return
        choosing.rests_on(
            {
                "database": rests,
                "pending": others,
                "date_range": f"recommended {uses.day(found.first)} to {uses.day(found.last)}",
                "schedule": f"as known {uses.known(found.as_of)}",
            }
        )


def _nothing(choice: RepliesChoice, found: reading.Seen) -> None:
    if is_simulated(choice.tenant):
        drawn.nothing_known("The simulated world knows of replies only. Choose replies above.", ())
        return
    whose = on_one_line(choice.tenant)
    reason = f"No resolved outcome of {whose} is in the copy" + (
        f"; {found.all:,} are still open." if found.all else "."
    )
    drawn.nothing_known(
        f"{reason} Bring some, or choose the simulated world above.",
        (f"qbs outcomes sync --tenant {choice.tenant}", "qbs outcomes import outcomes.csv"),
    )


def _reads(choice: RepliesChoice, found: reading.Seen, fitted: FittedCalibration | None) -> None:
    """The diagram, and beside it every figure."""
    before: dict[str, Any] = found.facts or {}
    after = fitted.report["after"] if fitted is not None and fitted.report["offered"] else None
    came = CAME[choice.outcome_type]
    details.heading("Can the confidence be believed?")
    parts = st.grid(2, min_column_width=_COLUMN_PIXELS)
    with parts.cell(), st.container(border=True, height="stretch"):
        drawn.diagram({ENGINE: before["bins"], **({CALIBRATED: after["bins"]} if after else {})}, came)
    with parts.cell(), st.container(border=True, height="stretch"):
        sentences = [calibration_figures.gap_sentence(before, came), calibration_figures.chance_sentence(before)]
        drawn.figures(calibration_figures.figures_table(before, after), sentences)


def _corrected(choice: RepliesChoice, found: reading.Seen, fitted: FittedCalibration | None) -> None:
    """What was fitted and why, cell by cell, and what would be reported then."""
    details.heading("What is corrected")
    _fit(choice, found, fitted)
    report = fitted.report if fitted is not None else None
    corrects = fitted is not None and bool(fitted.calibration.cells)
    parts = st.grid(5 if corrects else 1, min_column_width=_COLUMN_PIXELS // 2)
    with parts.cell(column_span=3 if corrects else 1), st.container(border=True, height="stretch"):
        finer = st.toggle(
            "Finer cells", key=place.FINER, help="By what is asked for and how it is put, from 50 outcomes."
        )
        offered = {own["cell"] for own in report["cells"] if own["offered"]} if report else set()
        cells = [own for own in found.cells if finer or own.level < 2 or own.cell in offered]
        table = calibration_cells.cells_table(cells, report["cells"] if report else (), CAME[choice.outcome_type])
        drawn.cells(table, calibration_cells.too_small(report))
    if fitted is not None and corrects:
        with parts.cell(column_span=2), st.container(border=True, height="stretch"):
            drawn.curve(fitted.calibration, {own.cell: own.claims.n for own in found.cells})


def _fit(choice: RepliesChoice, found: reading.Seen, fitted: FittedCalibration | None) -> None:
    job = reading.fit_job(choice.tenant, choice.outcome_type, choice.as_of)
    if job is not None and job.status is JobStatus.FAILED:
        empty.problem(job.outcome)
    if fitted is not None:
        st.markdown(on_one_line(calibration_cells.verdict(fitted.report)))
    else:
        st.markdown("No calibration was fitted to these outcomes yet. Fitting changes nothing until it is published.")
    st.caption(on_one_line(calibration_cells.methods_tried(found.outcomes)))
    st.button(
        "Fit again" if fitted is not None else "Fit",
        icon=":material/model_training:",
        key="fit",
        type="secondary" if fitted is not None else "primary",
        disabled=job is not None and not job.ended,
        on_click=reading.begin_fit,
        args=(choice.tenant, choice.outcome_type, choice.as_of),
        help="In the background. The same outcomes give the same bits.",
    )
