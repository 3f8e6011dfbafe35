"""What can be done about a turn, wherever one is open: on the Compare, Replay and Prompts pages."""

from __future__ import annotations

from functools import partial

import streamlit as st

from engine.errors import QBSError
from workbench.components import empty, prompts_turn
from workbench.person import user_name
from workbench.views import prompts, reading
from workbench.views.prompts_place import AUTHOR, PromptsPlace

_PROBLEM = "prompts.protecting"


def actions(dataset: str, conversation: str, turn: int, run: str | None, prompt: str | None = None) -> None:
    """A link to the Prompts page with this turn set, and the button that guards it."""
    at = PromptsPlace(dataset=dataset, conversation=conversation, turn=turn, run=run, prompt=prompt)
    prompts_turn.change(prompts.as_page(), at.address())
    never_again(dataset, conversation, turn)


def never_again(dataset: str, conversation: str, turn: int) -> None:
    """The button that puts the turn on the list; what kept it from being put there is said."""
    key = (dataset, conversation, turn)
    prompts_turn.never_again(
        protected=key in _protected(),
        protect=partial(_protect, dataset, conversation, turn),
        key=f"protect {dataset} {conversation} {turn}",
    )
    if problem := st.session_state.pop(_PROBLEM, None):
        empty.problem(problem)


def author() -> str:
    """Who decides here: whoever was named last, else who runs the app."""
    return str(st.session_state.get(AUTHOR) or "").strip() or user_name() or ""


def _protected() -> frozenset[tuple[str, str, int]]:
    """The list is short, and read anew: another process may have changed it. One that is damaged is not read here."""
    from evals.tuning.must_not_break import FILE

    if not (reading.services().settings.home / FILE).exists():
        return frozenset()
    from workbench.promoting import must_not_break

    try:
        return frozenset(own.key for own in must_not_break(reading.services()).turns())
    except QBSError as error:
        st.session_state[_PROBLEM] = str(error)
        return frozenset()


def _protect(dataset: str, conversation: str, turn: int) -> None:
    from workbench.promoting import must_not_break

    try:
        must_not_break(reading.services()).add(reading.dataset(dataset), conversation, turn, by=author())
    except QBSError as error:
        st.session_state[_PROBLEM] = str(error)
