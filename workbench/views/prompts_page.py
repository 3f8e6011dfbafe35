"""What the Prompts page shows: a prompt and a turn to choose, and the part of the work that is under way."""

from __future__ import annotations

import streamlit as st

from engine.errors import QBSError
from workbench.components import empty, prompts_choosing
from workbench.presenters import prompts_versions as listing
from workbench.session import offer
from workbench.views import (
    prompts_difference,
    prompts_place,
    prompts_reading,
    prompts_release,
    prompts_search,
    prompts_write,
)
from workbench.views.prompts_choice import PromptsChoice, choose
from workbench.views.prompts_place import AGAINST, CANDIDATE, TAB, TABS, TENANT, PromptsPlace

_AGAINST_OF = "prompts.against of"  # the version that another one was chosen to compare with
_PARTS = {
    prompts_place.WRITE: prompts_write.write,
    prompts_place.DIFFERENCE: prompts_difference.difference,
    prompts_place.RELEASE: prompts_release.release,
    prompts_place.SEARCH: prompts_search.search,
}


def page() -> None:
    """Draw it."""
    try:
        _page()
    except QBSError as error:
        empty.problem(str(error))


def _page() -> None:
    goal = prompts_place.arrive()
    choice = choose(goal)
    if choice is None:
        return
    _about(choice)
    _offer(choice, goal)
    tab = prompts_choosing.tabs(TABS, TAB)
    prompts_place.settle(_place(choice, tab))
    _PARTS[tab](choice)


def _about(choice: PromptsChoice) -> None:
    runs = prompts_reading.uses()[choice.version.name, choice.version.hash]
    parent = listing.parent_of(choice.version, choice.versions)
    prompts_choosing.facts(listing.facts(choice.version, parent, runs))


def _offer(choice: PromptsChoice, goal: PromptsPlace | None) -> None:
    """What the parts are set to, where a link says so."""
    to = goal or PromptsPlace()
    offer(TAB, list(TABS), to.tab)
    others = [listing.key_of(own) for own in choice.versions if own.hash != choice.version.hash]
    first = listing.compared_with(choice.version, choice.versions)
    if st.session_state.get(_AGAINST_OF) != choice.version.ref:
        st.session_state.update({_AGAINST_OF: choice.version.ref, AGAINST: None})
    offer(
        AGAINST,
        others,
        listing.wanted_key(choice.versions, to.against),
        None if first is None else listing.key_of(first),
    )
    if to.trial is not None:
        prompts_place.look_at_trial(to.trial)
    for key, wanted in ((CANDIDATE, to.candidate), (TENANT, to.tenant)):
        if wanted is not None:
            st.session_state[key] = wanted


def _place(choice: PromptsChoice, tab: str) -> PromptsPlace:
    against = st.session_state.get(AGAINST) if tab == prompts_place.DIFFERENCE else None
    releasing = tab == prompts_place.RELEASE
    return PromptsPlace(
        prompt=choice.prompt,
        version=listing.key_of(choice.version),
        against=against,
        dataset=choice.dataset.name,
        run=choice.run.run_id if choice.run else None,
        conversation=choice.conversation.id,
        turn=choice.turn,
        trial=prompts_place.trial() if tab == prompts_place.WRITE else None,
        candidate=st.session_state.get(CANDIDATE) if releasing else None,
        tenant=st.session_state.get(TENANT) if releasing else None,
        tab=tab,
    )
