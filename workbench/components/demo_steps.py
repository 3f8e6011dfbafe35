"""The steps of the demo: as a list to begin from, and as a strip above the page that is looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.navigation.page import Page as StreamlitPage

from workbench.demo import TENANT
from workbench.presenters.customer_text import on_one_line
from workbench.presenters.demo_steps import duration
from workbench.presenters.demo_values import Address, Step
from workbench.text import count

_SIMULATED = "These outcomes are of a simulated world. No customer said any of this."
_KEPT = "Runs, saved prompts, recordings and imported files stay."


def heading(minutes: str) -> None:
    st.title("Guided demo", anchor=False)
    told = f"From a customer's message to the reply rate, in about {minutes}. " if minutes else ""
    st.caption(
        f"{told}Each step opens a page that is set up already; a strip above it says what to see, and leads on. No key "
        "and no network."
    )


def bar() -> DeltaGenerator:
    return st.container(horizontal=True, vertical_alignment="center", gap="small", key="demo-bar")


def how_far(done: int, total: int) -> None:
    st.markdown(f":material/flag: **{done} of {count(total, 'step')}** seen")


def waiting() -> None:
    st.info(
        "The demo is being prepared: three runs over the example conversations, simulated outcomes, and a Postgres of "
        "its own. That takes a minute the first time; the steps appear by themselves.",
        icon=":material/hourglass_top:",
    )


def not_prepared(why: str, again: Callable[[], None]) -> None:
    st.error(on_one_line(why))
    st.button("Prepare the demo", type="primary", icon=":material/play_arrow:", on_click=again)


def report(make: Callable[[], str]) -> None:
    st.download_button(
        "Report",
        make,
        "qbs-demo.html",
        "text/html",
        icon=":material/download:",
        on_click="ignore",
        help="The same story on one page that opens without a network.",
    )


def reset(what_goes: Callable[[], int | str], begin: Callable[[], None]) -> None:
    """A way back to the start that says what goes, and asks."""
    with st.popover("Reset", icon=":material/restart_alt:", on_change="rerun", key="demo reset") as opened:
        if not opened.open:
            return
        rows = what_goes()
        if isinstance(rows, str):
            st.error(on_one_line(rows))
            return
        st.markdown(
            f"**{count(rows, 'row')}** of the tenant **{TENANT}** in Postgres go: contacts, messages, outcomes, prompt "
            f"releases and calibrations. Simulated outcomes are loaded anew. {_KEPT} There is no way back."
        )
        st.button("Erase and begin again", type="primary", icon=":material/delete_forever:", on_click=begin)


def was_reset(outcome: str, *, failed: bool) -> None:
    (st.error if failed else st.caption)(on_one_line(outcome))


def step(number: int, own: Step, page: StreamlitPage, query: Address, *, done: bool, following: bool) -> None:
    """One step of the list."""
    with st.container(border=True, gap="xsmall", key=f"demo-step-{own.key.replace(' ', '-')}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            mark = ":green[:material/check_circle:]" if done else f":gray[:material/{_icon(following=following)}:]"
            st.markdown(
                f"{mark} **{number}. {on_one_line(own.title)}** :small[:gray[{duration(own)}]]"
                f"{_badges(own, done=done)}",
                width="stretch",
            )
            _link(page, f"Open {own.page}", query, disabled=not own.address)
        st.markdown(on_one_line(own.sentence))
        if own.figures:
            first = own.figures[0]
            st.caption(f":material/database: {on_one_line(first.source)} · {on_one_line(first.n)}")


def strip(
    own: Step,
    place: str,
    following: tuple[str, StreamlitPage, Address] | None,
    all_steps: StreamlitPage,
    end: Callable[[], None],
) -> None:
    """What is to be seen on this page, and the way on."""
    with st.container(border=True, gap="xsmall", key="demo-strip"):
        st.markdown(
            f":violet-badge[:material/tour: Demo {place}]{_badges(own)} **{on_one_line(own.title)}**\\\n"
            f"{on_one_line(own.sentence)}"
        )
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            if following is not None:
                title, page, query = following
                _link(page, f"Next: {title}", query, disabled=False)
            st.page_link(all_steps, label="All steps", icon=":material/list:")
            st.space("stretch")
            st.button("End", type="tertiary", icon=":material/close:", key="demo end", on_click=end)


def _icon(*, following: bool) -> str:
    return "arrow_circle_right" if following else "radio_button_unchecked"


def _badges(own: Step, *, done: bool = False) -> str:
    simulated = " :orange-badge[:material/science: simulated]" if own.simulated else ""
    missing = "" if own.ready else " :orange-badge[:material/warning: not there yet]"
    return f"{simulated}{missing}{' :green-badge[seen]' if done else ''}"


def _link(page: StreamlitPage, label: str, query: Address, *, disabled: bool) -> None:
    asked: dict[str, Any] = dict(query)
    st.page_link(page, label=label, icon=":material/arrow_forward:", query_params=asked, disabled=disabled)
