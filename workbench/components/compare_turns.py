"""The turns that moved: a list to choose from, and the head of the one that is open."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st
from streamlit.navigation.page import Page as StreamlitPage

from workbench.presenters.compare_turns import Moves, TurnLine, TurnList
from workbench.presenters.customer_text import on_one_line
from workbench.text import count

_RIGHT = "Right means as good as can be on that turn in this measure; neither may be."
_CARD_PIXELS = 250
Opens = Callable[[str, int], None]
_MOVED = "What this turn alone does for the measure of the whole run: upwards is better."


def choosing(titles: Mapping[str, str], metric_key: str, order_key: str, on_change: Callable[[], None]) -> None:
    """By which measure, and which way."""
    bar = st.grid(3, min_column_width=200, vertical_alignment="bottom")
    with bar.cell(column_span=2):
        st.selectbox(
            "Turns that differ in",
            list(titles),
            format_func=lambda name: titles.get(name, name),
            key=metric_key,
            on_change=on_change,
        )
    with bar.cell():
        st.segmented_control(
            "Sorted by how much they got",
            ["worse", "better"],
            format_func=str.capitalize,
            key=order_key,
            required=True,
            on_change=on_change,
            width="stretch",
        )


def moves(found: Moves, right: str) -> None:
    """How many moved which way; `right` says who was right, where a model is measured against rules."""
    parts = [f"{count(found.worse, 'turn')} got worse", f"{found.better:,} better"]
    parts += [f"{found.without:,} are counted differently and come out the same"] if found.without else []
    st.caption(on_one_line(f"{', '.join(parts)}. {right}"), help=_RIGHT if right else None)


def turn_list(found: TurnList, opened: tuple[str, int] | None, opens: Opens, page_key: str) -> None:
    """One page of the turns, as cards that open them."""
    if not found.lines:
        st.markdown(":gray[None]")
        return
    cards = st.grid(4, min_column_width=_CARD_PIXELS, border=True)
    for line in found.lines:
        with cards.cell():
            _card(line, opens, is_open=(line.conversation_id, line.turn) == opened)
    if found.pages > 1:
        st.pagination(found.pages, key=page_key, max_visible_pages=7)


def _card(line: TurnLine, opens: Opens, *, is_open: bool) -> None:
    with st.container(gap="xxsmall", key=f"line {line.conversation_id} {line.turn}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            colour, icon = ("blue", "trending_up") if line.better else ("orange", "trending_down")
            st.markdown(f":{colour}-badge[:material/{icon}: {on_one_line(line.moved)}]", help=_MOVED)
            st.markdown(f":small[{on_one_line(line.before)} → {on_one_line(line.after)}]", width="stretch")
            st.button(
                "Shown" if is_open else "Open",
                key=f"open {line.conversation_id} {line.turn}",
                type="tertiary",
                disabled=is_open,
                on_click=opens,
                args=(line.conversation_id, line.turn),
            )
        title = f"**{on_one_line(line.title)}**, turn {line.turn}"
        st.markdown(f":small[{title}]\\\n:small[:gray[{on_one_line(line.about)}]]")
        st.markdown(f":small[“{on_one_line(line.excerpt)}”]")


def head(
    line: TurnLine | None,
    title: str,
    turn: int,
    sides: Sequence[str],
    keys: Sequence[tuple[str, int]],
    opens: Opens,
    replay: StreamlitPage,
    query: Mapping[str, str],
    further: Callable[[], None],
) -> None:
    """The turn that is open, with steps to its neighbours in the list, a way to the Replay page, and `further` ones."""
    at = next((place for place, key in enumerate(keys) if line and key == (line.conversation_id, line.turn)), None)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="open turn"):
        st.markdown(f"#### {on_one_line(title)} :gray[turn {turn}]", anchors=False, width="stretch")
        _step("Previous", "chevron_left", None if at is None else at - 1, keys, opens)
        _step("Next", "chevron_right", 0 if at is None else at + 1, keys, opens)
        st.page_link(replay, label="Replay", icon=":material/replay:", help="This turn in Replay", query_params=query)
        further()
    if line is not None:
        told = f"{sides[0]} {line.before} → {sides[1]} {line.after}; alone it moves the run by {line.moved}"
        st.caption(on_one_line(f"{told}. {line.about}."))


def _step(label: str, icon: str, goal: int | None, keys: Sequence[tuple[str, int]], opens: Opens) -> None:
    there = goal is not None and 0 <= goal < len(keys)
    st.button(
        label,
        icon=f":material/{icon}:",
        icon_position="left" if label == "Previous" else "right",
        disabled=not there,
        on_click=opens,
        args=keys[goal] if there and goal is not None else (),
    )
