"""Trying a prompt: on which turns, how it came out, and the answers beside the old ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import streamlit as st
from streamlit.navigation.page import Page as StreamlitPage

from workbench.presenters.customer_text import on_one_line
from workbench.presenters.prompts_trials import TrialLine

Which = Literal["worst", "chance", "must not break"]
Asked = Literal["turn", "onwards", "many"]
WHICH: dict[Which, str] = {"worst": "Worst", "chance": "By chance", "must not break": "Must not break"}
MANY, MOST = 20, 100
PAGE = 6

_WHICH_KEY, _MANY_KEY = "prompts which", "prompts many"
_PIXELS = 430
_MARKS = {
    "better": ("blue", "trending_up"),
    "worse": ("orange", "trending_down"),
    "same": ("gray", "trending_flat"),
    "not judged": ("gray", "help"),
}
_MEANINGS = {
    "better": "By its label, the new answer is better than the old one on this turn.",
    "worse": "By its label, the new answer is worse than the old one on this turn.",
    "same": "Both answers are as good by the label.",
    "not judged": "The turn has no label, or an answer is not the model's.",
}


def offer(*, disabled: bool, why_not: str, further: Callable[[], None]) -> Asked | None:
    """What is to be tried, once it is asked for; `further` draws buttons beside these."""
    with st.container(horizontal=True, gap="small", key="try"):
        here = st.button(
            "Try on this turn", type="primary", icon=":material/play_arrow:", disabled=disabled, help=why_not or None
        )
        told = why_not or "Later messages then build on the new answers."
        onwards = st.button("From this turn on", icon=":material/fork_right:", disabled=disabled, help=told)
        with st.popover("On more turns", icon=":material/playlist_play:", disabled=disabled, help=why_not or None):
            many = _many()
        further()
    return "turn" if here else "onwards" if onwards else "many" if many else None


def _many() -> bool:
    st.segmented_control(
        "Which turns",
        list(WHICH),
        format_func=lambda own: WHICH[own],
        key=_WHICH_KEY,
        default="chance",
        help="The run's worst by what this prompt can change; some by chance; or those on the list below Release.",
    )
    st.number_input("How many at most", 1, MOST, MANY, key=_MANY_KEY)
    return st.button("Try", type="primary", key="try many", icon=":material/play_arrow:")


def chosen_many() -> tuple[Which, int]:
    which: Which = st.session_state.get(_WHICH_KEY) or "chance"
    return which, int(st.session_state.get(_MANY_KEY) or MANY)


def head(title: str, about: str, words: str | None, notes: Sequence[str], tally: str) -> None:
    """What was tried, and what the comparison says of it so far."""
    st.markdown(f"##### {on_one_line(title)}", anchors=False)
    st.caption(on_one_line(about))
    if words:
        st.markdown(on_one_line(words))
    if tally:
        st.caption(on_one_line(tally), help="Each turn alone, by its label. The verdict is on all of them together.")
    for note in notes:
        st.caption(f":material/info: {on_one_line(note)}")


def lines(
    found: Sequence[TrialLine],
    opens: Callable[[str, int], None],
    compare: StreamlitPage,
    query: Callable[[TrialLine], dict[str, str | list[str]]],
    page_key: str,
) -> None:
    """One page of the turns as cards: old answer, new answer, and where to look closer."""
    pages = -(-len(found) // PAGE)
    at = min(int(st.session_state.get(page_key) or 1), max(pages, 1))
    cards = st.grid(2, min_column_width=_PIXELS, border=True)
    for line in found[(at - 1) * PAGE : at * PAGE]:
        with cards.cell():
            _card(line, opens, compare, query(line))
    if pages > 1:
        st.pagination(pages, key=page_key, max_visible_pages=7)


def _card(
    line: TrialLine, opens: Callable[[str, int], None], compare: StreamlitPage, query: dict[str, str | list[str]]
) -> None:
    colour, icon = _MARKS[line.moved]
    with st.container(gap="xxsmall", key=f"tried {line.conversation} {line.turn}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.markdown(f":{colour}-badge[:material/{icon}: {line.moved}]", help=_MEANINGS[line.moved])
            st.markdown(f":small[{on_one_line(line.scores)}]", width="stretch")
            st.button(
                "Open",
                key=f"open tried {line.conversation} {line.turn}",
                type="tertiary",
                on_click=opens,
                args=(line.conversation, line.turn),
                help="Make it the turn that you work on",
            )
            st.page_link(compare, label="Compare", icon=":material/balance:", query_params=query)
        st.markdown(f":small[**{on_one_line(line.title)}**, turn {line.turn}]\\\n:small[“{on_one_line(line.excerpt)}”]")
        after = "not answered yet" if line.after is None else line.after
        before = f":small[:gray[:material/remove: {on_one_line(line.before)}]]"
        st.markdown(f"{before}\\\n:small[:material/add: {on_one_line(after)}]")
