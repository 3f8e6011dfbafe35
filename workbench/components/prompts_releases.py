"""Where prompt sets stand: what is in production for whom, every release there was, and the list that guards them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from evals.tuning.must_not_break import ProtectedTurn
from workbench.presenters.customer_text import on_one_line
from workbench.presenters.figures import moment
from workbench.presenters.prompts_releases import ReleaseLine, StandingCard

_PIXELS = 260


def whose(names: Sequence[str], key: str) -> None:
    """For whom."""
    st.segmented_control(
        "For whom",
        list(names),
        key=key,
        required=True,
        help="A tenant's own newest release counts before everybody's, and that before the shipped prompts.",
    )


def candidates(names: Mapping[str, str], key: str) -> None:
    """Which set."""
    st.selectbox(
        "Prompt set",
        list(names),
        format_func=lambda own: names.get(own, own),
        key=key,
        help="A set is every prompt that is used together. A version alone stands for the shipped set with it.",
    )


def standing(cards: Sequence[StandingCard]) -> None:
    """One card for each."""
    row = st.grid(max(len(cards), 2), min_column_width=_PIXELS, border=True)
    for own in cards:
        with row.cell(), st.container(gap="xxsmall", key=f"standing {own.whose}"):
            st.markdown(f":gray[In production for {on_one_line(own.whose)}]")
            st.markdown(f"##### {on_one_line(own.production)}", anchors=False)
            _gate_of(own.passed, own.overridden)
            st.caption(on_one_line(own.about))
            if own.candidate is not None:
                st.caption(f":material/hourglass_top: Candidate: {on_one_line(own.candidate)}")


def history(lines: Sequence[ReleaseLine], bring_back: Callable[[int], None]) -> None:
    """Every release, newest first, each of the earlier ones in production with a way back."""
    if not lines:
        st.caption("Nothing was released yet.")
    for own in lines:
        with st.container(
            horizontal=True, vertical_alignment="center", gap="small", key=f"release {own.number}", border=True
        ):
            now = " :green-badge[:material/check: in production]" if own.current else ""
            st.markdown(
                f"**{own.number}** · {own.stage} · **{on_one_line(own.name)}**{now}\\\n"
                f":small[:gray[{on_one_line(f'{own.when} by {own.by}')}]]"
                f"{f' :small[{on_one_line(own.verdict)}]' if own.verdict else ''}"
                f"{f' :small[{on_one_line(own.note)}]' if own.note else ''}"
                f"{_overridden(own.overridden)}",
                width="stretch",
            )
            if own.can_return:
                st.button(
                    "Bring back",
                    key=f"bring back {own.number}",
                    type="tertiary",
                    on_click=bring_back,
                    args=(own.number,),
                )


def protected(
    turns: Sequence[ProtectedTurn], remove: Callable[[ProtectedTurn], None], opens: Callable[[ProtectedTurn], None]
) -> None:
    """The turns that must never break again."""
    if not turns:
        st.caption("No turn is on the list. “Never break again” beside a turn puts it there.")
    for own in turns:
        with st.container(
            horizontal=True,
            vertical_alignment="center",
            gap="small",
            key=f"protected {own.dataset} {own.conversation_id} {own.turn}",
        ):
            why = f": {own.why}" if own.why else ""
            told = f"**{on_one_line(own.conversation_id)}**, turn {own.turn}"
            about = on_one_line(f"{own.dataset} · {own.by}, {moment(own.at)}{why}")
            st.markdown(f"{told} :small[:gray[{about}]]", width="stretch")
            place = f"{own.dataset} {own.conversation_id} {own.turn}"
            st.button("Open", key=f"open protected {place}", type="tertiary", on_click=opens, args=(own,))
            st.button("Take off", key=f"unprotect {place}", type="tertiary", on_click=remove, args=(own,))


def _gate_of(passed: bool | None, overridden: str | None) -> None:
    if overridden is not None:
        st.markdown(f":red-badge[:material/gavel: gate overridden] :small[{on_one_line(overridden)}]")
    elif passed:
        st.markdown(":green-badge[:material/verified: the gate let it pass]")


def _overridden(why: str | None) -> str:
    return "" if why is None else f"\\\n:red-badge[:material/gavel: gate overridden] :small[{on_one_line(why)}]"
