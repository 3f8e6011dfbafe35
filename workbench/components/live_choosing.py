"""Choosing whom to talk to, who answers, and as which tenant."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from engine.model.conversation import Persona
from workbench.components.focus import released
from workbench.presenters.words import PERSONAS, Word

_NAME, _COMPANY = "live new name", "live new company"


def bar(
    customers: Mapping[str, str],
    answers: Mapping[str, Word],
    tenants: Sequence[str],
    *,
    keys: tuple[str, str, str, str],
    begin: Callable[[str, str], None],
) -> None:
    """`keys` are those of the widgets: customer, who answers, tenant, and a new contact's level."""
    customer, who, tenant, level = keys
    row = st.grid(5, min_column_width=200, vertical_alignment="bottom")
    with row.cell(column_span=2), released(customer):
        st.selectbox(
            "Customer", list(customers), key=customer, format_func=lambda option: customers.get(option, option)
        )
    with row.cell(), released(who):
        st.selectbox(
            "Who answers",
            list(answers),
            key=who,
            format_func=lambda choice: answers[choice].name if choice in answers else choice,
            help="\n\n".join(f"**{word.name}**: {word.meaning}" for word in answers.values()),
        )
    with row.cell(), released(tenant):
        st.selectbox("Tenant", tenants, key=tenant, help="Whose rows these are. Another tenant sees none of them.")
    # Another place once another customer is chosen: what is drawn anew there is closed.
    place = row.cell().container(key=f"new beside {st.session_state.get(customer)}")
    with place.popover("New customer", icon=":material/person_add:", width="stretch"):
        _new(level, begin)


def _new(level: str, begin: Callable[[str, str], None]) -> None:
    with st.form("new customer", border=False):
        st.text_input("Name", "Alex Morgan", key=_NAME, max_chars=100)
        st.text_input("Company", "Brightwater Logistics", key=_COMPANY, max_chars=100)
        st.selectbox("Level", list(Persona), index=1, key=level, format_func=lambda persona: PERSONAS[persona].name)
        st.form_submit_button("Talk to them", type="primary", on_click=_begin, args=(begin,))


def _begin(begin: Callable[[str, str], None]) -> None:
    begin(st.session_state[_NAME], st.session_state[_COMPANY])
