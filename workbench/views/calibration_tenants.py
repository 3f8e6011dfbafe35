"""Whose outcomes are looked at, as the pages over outcomes share it: one's own, another's, or the simulated world's."""

from __future__ import annotations

import streamlit as st

from engine.state.tenants import tenant_uuid
from workbench import learning
from workbench.components import calibration_choosing
from workbench.views import outcomes_reading, reading
from workbench.views.outcomes_place import TENANT_SHARED as TENANT
from workbench.views.outcomes_place import TYPE_SHARED as OUTCOME_TYPE

__all__ = ["OUTCOME_TYPE", "TENANT", "Stamp", "choose", "prepare", "store_stamp"]

Stamp = tuple[int, int]


def choose(key: str, wanted: str | None) -> str:
    """Draw the choice, set to `wanted`; the tenant that is chosen, by name or UUID.

    Without a wish it is the one of the other pages; at first one's own, and the simulated world while that is empty.
    Raises TenantRequiredError for a name that no tenant can have.
    """
    asked = wanted or st.session_state.get(key) or st.session_state.get(TENANT)
    choices = learning.tenants(reading.services(), outcomes_reading.present(), asked)
    usual = choices[0].name if choices[0].has_facts else learning.SIMULATED
    chosen = next((own.name for own in choices if asked and tenant_uuid(own.name) == tenant_uuid(asked)), usual)
    if st.session_state.get(key) != chosen:
        st.session_state[key] = chosen
    calibration_choosing.tenant(choices, key)
    st.session_state[TENANT] = st.session_state[key]
    return str(st.session_state[key])


def prepare(tenant: str) -> None:
    """Put the simulated world into the copy if its outcomes are looked at, and it is not there yet."""
    if learning.is_simulated(tenant):
        outcomes_reading.load_simulated_world()


def store_stamp() -> Stamp:
    """What differs once something was copied."""
    return outcomes_reading.stamp()
