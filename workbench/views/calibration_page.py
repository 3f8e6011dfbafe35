"""What the Calibration page shows: of questions how likely an answer was said to be; of extraction how sure it was."""

from __future__ import annotations

import streamlit as st

from engine.errors import QBSError
from engine.model.outcome import OutcomeType
from workbench.components import calibration_choosing as choosing
from workbench.components import empty
from workbench.views import calibration_extraction, calibration_replies
from workbench.views import calibration_place as place


def page() -> None:
    """Draw it."""
    try:
        _page()
    except QBSError as error:
        empty.problem(str(error))


def _page() -> None:
    goal = place.arrive()
    if goal is not None and goal.part is not None:
        st.session_state[place.PART] = goal.part
    elif st.session_state.get(place.PART) not in place.PARTS:
        st.session_state[place.PART] = place.REPLIES
    choosing.part(place.PARTS, place.PART)
    if st.session_state[place.PART] == place.EXTRACTION:
        st.caption("When the engine says budget 0.8, is it right 8 times of 10? From the labels of a data set.")
        row = calibration_extraction.choose(goal)
        place.settle(place.CalibrationPlace(part=place.EXTRACTION, run=row.run_id if row else None))
        if row is not None:
            calibration_extraction.show(row)
        return
    st.caption("When the engine says that 7 of 10 will answer, do 7 of 10? From what became of its questions.")
    choice = calibration_replies.choose(goal)
    place.settle(
        place.CalibrationPlace(
            tenant=choice.tenant,
            outcome_type=None if choice.outcome_type is OutcomeType.EMAIL_ENGAGEMENT else str(choice.outcome_type),
            as_of=choice.as_of.isoformat() if choice.as_of else None,
        )
    )
    calibration_replies.show(choice)
