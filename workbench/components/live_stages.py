"""The stage of the deal: where it is, where it may go next, and how it came there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from engine.model.conversation import DealStage
from workbench.components import details
from workbench.presenters.customer_text import on_one_line
from workbench.presenters.live_stages import Moved
from workbench.presenters.words import STAGES

_MEANING = "No stage is skipped, and nothing leaves a closed deal. A model alone never moves it."


def stages(
    now: DealStage, allowed: Sequence[DealStage], history: Sequence[Moved], move: Callable[[DealStage], None] | None
) -> None:
    """`move` is None while there is nothing to move."""
    details.title("Deal stage", _MEANING)
    st.markdown(f":violet-badge[:material/flag: {STAGES[now].name}]", help=STAGES[now].meaning)
    if move is not None and allowed:
        with st.container(horizontal=True, gap="xsmall", key="stages"):
            for stage in allowed:
                st.button(
                    STAGES[stage].name,
                    key=f"to {stage}",
                    icon=":material/arrow_forward:",
                    help=f"Move the deal on. {STAGES[stage].meaning}",
                    on_click=move,
                    args=(stage,),
                )
    elif not allowed:
        st.caption("A closed deal stays closed.")
    for moved in history:
        st.markdown(
            f"{STAGES[moved.before].name} :gray[→] {STAGES[moved.after].name} :small[:gray[{on_one_line(moved.about)}]]"
        )
