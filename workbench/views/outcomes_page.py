"""What the Outcomes page shows: where outcomes stand, rates, trend, time, funnel, and what goes with a reply."""

from __future__ import annotations

import streamlit as st

from engine.errors import QBSError
from workbench.components import empty, outcomes_choosing, outcomes_drawn
from workbench.components.export_menu import export
from workbench.presenters import outcomes_headline as headlines
from workbench.presenters.outcomes_words import SPLITS, Watched
from workbench.views import outcomes_place as place
from workbench.views import outcomes_reading, outcomes_sections, outcomes_taken
from workbench.views.outcomes_choice import OutcomesChoice, begin_sync, choose, show_simulated
from workbench.views.outcomes_place import OutcomesPlace

_DRAWN = {
    place.RATES: outcomes_sections.rates,
    place.TREND: outcomes_sections.trend,
    place.TIME: outcomes_sections.time,
    place.FUNNEL: outcomes_sections.funnel,
    place.ASSOCIATION: outcomes_sections.association,
}


def page() -> None:
    """Draw it."""
    try:
        _page()
    except QBSError as error:
        empty.problem(str(error))


def _page() -> None:
    choice, more = choose(place.arrive())
    if choice.simulated:
        outcomes_choosing.simulated_banner()
    if not choice.has_facts:
        _nothing(choice)
        return
    whole = outcomes_reading.whole(choice.asked, choice.by)
    if not whole.rate.cell.outcomes and not choice.asked.part.count and not choice.simulated:
        _nothing(choice)
        return
    if not whole.rate.cell.outcomes:
        place.settle(_place(choice))
        outcomes_drawn.none_like_that(choice.asked.part.count, choice.watched.noun, place.clear_filters)
        return
    with more:
        export(
            outcomes_taken.titles(choice), *outcomes_taken.makers(choice), outcomes_taken.name(choice), key="outcomes"
        )
    outcomes_drawn.headline(headlines.headline(whole.rate, choice.watched), choice.watched.rate)
    section = _section(choice.watched)
    _DRAWN[section](choice, whole)
    place.settle(_place(choice))


def _nothing(choice: OutcomesChoice) -> None:
    place.settle(OutcomesPlace(tenant=choice.tenant, outcome_type=choice.asked.outcome_type))
    outcomes_drawn.nothing_yet(choice.tenant, lambda: begin_sync(choice.tenant), show_simulated)


def _section(watched: Watched) -> str:
    titles = {
        place.RATES: "Rates",
        place.TREND: "Over time",
        place.TIME: f"Time to {watched.noun}",
        place.FUNNEL: "Funnel",
        place.ASSOCIATION: f"What goes with {watched.a_noun}",
    }
    chosen = st.segmented_control(
        "What to look at",
        place.SECTIONS,
        format_func=lambda own: titles[own],
        key=place.SECTION,
        required=True,
        label_visibility="collapsed",
    )
    return str(chosen)


def _place(choice: OutcomesChoice) -> OutcomesPlace:
    """What is shown, in ids. Of what only one section has, only where that is open."""
    state = st.session_state
    section = state[place.SECTION]
    chosen = {
        key: state.get(key) if state.get(key) in SPLITS else None for key in (place.BY, place.ACROSS, place.GROUPS)
    }
    rates = section == place.RATES
    cell = state.get(place.CELL)
    return OutcomesPlace(
        tenant=choice.tenant,
        outcome_type=choice.asked.outcome_type,
        part=choice.asked.part,
        section=section,
        by=chosen[place.BY] if rates else None,
        across=chosen[place.ACROSS] if rates and chosen[place.ACROSS] != chosen[place.BY] else None,
        period=state.get(place.PERIOD) if section == place.TREND else None,
        groups=chosen[place.GROUPS] if section == place.TIME else None,
        scale=state.get(place.SCALE) if section == place.ASSOCIATION else None,
        cell=tuple(cell.split("\x1f")) if rates and cell is not None else (),
    )
