"""What the Calibration page is about, as ids: kept in the session, and in the address so that it can be sent around."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

import streamlit as st

from engine.model.outcome import OutcomeType
from workbench import session
from workbench.views.calibration_tenants import OUTCOME_TYPE, TENANT

# Keys of widgets.
WHOSE, TYPE, AS_OF, PART, RUN, FINER = (
    f"calibration {name}" for name in ("whose", "type", "as of", "part", "run", "finer")
)

REPLIES, EXTRACTION = "replies", "extraction"
PARTS = {REPLIES: "Questions", EXTRACTION: "Extraction"}

_AT = "calibration.at"


@dataclass(frozen=True, slots=True)
class CalibrationPlace:
    """Outcomes of one type of one tenant, as they were known at a moment; or what a run extracted.

    `as_of` is a moment in ISO 8601. What is None is not chosen.
    """

    tenant: str | None = None
    outcome_type: str | None = None
    as_of: str | None = None
    part: str | None = None
    run: str | None = None

    @classmethod
    def of_address(cls, query: Mapping[str, str]) -> CalibrationPlace:
        """The place that an address names."""
        kind, part = query.get("type"), query.get("part")
        return cls(
            tenant=query.get("tenant") or None,
            outcome_type=kind if kind in list(OutcomeType) else None,
            as_of=query.get("as_of") or None,
            part=part if part in PARTS else None,
            run=query.get("run") or None,
        )

    def address(self) -> dict[str, str]:
        """The query that names this place."""
        told = {
            "tenant": self.tenant,
            "type": self.outcome_type,
            "as_of": self.as_of,
            "part": self.part,
            "run": self.run,
        }
        return {name: value for name, value in told.items() if value is not None}


def arrive() -> CalibrationPlace | None:
    """The place to go to: the one that a new address names, or on coming back to the page the one it was left at, of
    the tenant that was looked at meanwhile.
    """
    comes = session.comes_to("calibration")
    asked = CalibrationPlace.of_address(st.query_params.to_dict())
    if asked not in (CalibrationPlace(), left_at()):
        return asked
    if not comes:
        return None
    at = left_at()
    tenant = st.session_state.get(TENANT) or at.tenant
    kind = st.session_state.get(OUTCOME_TYPE) or at.outcome_type
    return replace(at, tenant=tenant, outcome_type=kind, as_of=at.as_of if tenant == at.tenant else None)


def left_at() -> CalibrationPlace:
    return cast("CalibrationPlace", st.session_state.get(_AT, CalibrationPlace()))


def settle(place: CalibrationPlace) -> None:
    """Remember the place, and name it in the address."""
    st.session_state[_AT] = place
    if st.query_params.to_dict() != place.address():
        st.query_params.from_dict(place.address())
