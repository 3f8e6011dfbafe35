"""The parts of the Outcomes page: the headline, a chart with its caption, a table, and what is not there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from workbench.components.outcomes_choosing import commands
from workbench.presenters.customer_text import on_one_line
from workbench.presenters.outcomes_headline import Headline, StatusLine
from workbench.presenters.outcomes_words import SIMULATED_WORD

Spec = dict[str, Any]
_AROUND_PIXELS, _FIFTH_PIXELS = 270, 170


def headline(found: Headline, title: str) -> None:
    """The rate, and every status by itself: first those in the rate, then those in none."""
    with st.container(border=True, key="outcomes headline"):
        halves = st.grid(5, min_column_width=_FIFTH_PIXELS, vertical_alignment="center")
        with halves.cell(column_span=2), st.container(horizontal=True, vertical_alignment="center", gap="medium"):
            st.metric(title, found.rate, help=on_one_line(found.meaning), width="content")
            with st.container(width=_AROUND_PIXELS, gap="xxsmall"):
                st.markdown(on_one_line(found.interval))
                st.caption(on_one_line(found.rests_on))
        with halves.cell(column_span=3), st.container(gap="xsmall"):
            _statuses("In the rate", [line for line in found.lines if line.in_rate])
            _statuses("In no rate", [line for line in found.lines if not line.in_rate])


def chart(spec: Spec, described: str, source: str, *, simulated: bool, key: str) -> None:
    """A chart with what it rests on below it; what is simulated says so in the caption."""
    st.vega_lite_chart(spec, width="stretch", alt=described, key=key)
    caption(source, simulated=simulated)


def caption(said: str, *, simulated: bool) -> None:
    """What figures rest on; where they are simulated, a badge first."""
    badge = f":orange-badge[:material/science: {SIMULATED_WORD}] " if simulated else ""
    st.markdown(f"{badge}:small[:gray[{on_one_line(said)}]]")


def table(rows: Sequence[dict[str, Any]], key: str, meanings: dict[str, str] | None = None, *, simulated: bool) -> None:
    """A table to read; numbers are aligned to the right. What is simulated says so in every row, also when copied."""
    found = _marked(rows, simulated)
    st.dataframe(found, hide_index=True, width="stretch", key=key, column_config=_columns(found, meanings or {}))


def chosen_row(
    rows: Sequence[dict[str, Any]],
    key: str,
    on_select: Callable[[], None],
    meanings: dict[str, str] | None = None,
    *,
    simulated: bool,
) -> None:
    """A table of which a row can be clicked; `on_select` is told, and finds which in the session."""
    found = _marked(rows, simulated)
    st.dataframe(
        found,
        hide_index=True,
        width="stretch",
        key=key,
        on_select=on_select,
        selection_mode="single-row",
        column_config=_columns(found, meanings or {}),
    )


def nothing_yet(own: str, sync: Callable[[], None] | None, simulated: Callable[[], None]) -> None:
    """The copy holds nothing of the tenant."""
    st.markdown("#### No outcomes here yet", anchors=False)
    st.markdown(
        f"Nothing of {on_one_line(own)} is in the copy that is learned from. Bring it up to date from Postgres, import "
        "what lives elsewhere, or look at a simulated world first."
    )
    with st.container(horizontal=True):
        if sync:
            st.button("Sync from Postgres", icon=":material/sync:", type="primary", on_click=sync)
        st.button("See the simulated world", icon=":material/science:", on_click=simulated)
    st.caption("The same on the command line:")
    commands()


def none_like_that(on: int, noun: str, clear: Callable[[], None]) -> None:
    """No outcome fits."""
    if on:
        st.info("No outcome fits all of these filters.", icon=":material/filter_list_off:")
        st.button("Clear the filters", on_click=clear, key="clear the filters here")
    else:
        st.info(f"No recommendation of this tenant is watched for {on_one_line(noun)}.", icon=":material/info:")


def nothing_resolved() -> None:
    st.info(
        "Nothing is resolved yet, so there is no rate: `qbs outcomes resolve` looks for windows that have closed.",
        icon=":material/hourglass_empty:",
    )


def _statuses(title: str, lines: Sequence[StatusLine]) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.markdown(f":small[:gray[{title}]]", width=80)
        for line in lines:
            text = f"{line.name} **{line.outcomes:,}**"
            st.markdown(text, help=on_one_line(line.meaning), width="content")


def _marked(rows: Sequence[dict[str, Any]], simulated: bool) -> list[dict[str, Any]]:
    return [{**row, "Data": SIMULATED_WORD} if simulated else dict(row) for row in rows]


def _columns(rows: Sequence[dict[str, Any]], meanings: dict[str, str]) -> dict[str, Any]:
    """Figures that are texts because of their unit are aligned as figures are."""
    found: dict[str, Any] = {}
    for name in rows[0] if rows else ():
        values = [row[name] for row in rows]
        figure = any(isinstance(value, str) and value[:1] in "0123456789+\N{MINUS SIGN}—" and value for value in values)
        meaning = meanings.get(name)
        if all(isinstance(value, int) and not isinstance(value, bool) for value in values):
            found[name] = st.column_config.NumberColumn(name, format="localized", help=meaning)
        elif figure and not any(isinstance(value, str) and value[:4].isdigit() for value in values):
            found[name] = st.column_config.TextColumn(name.strip() or " ", alignment="right", help=meaning)
        elif meaning:
            found[name] = st.column_config.Column(name, help=meaning)
    return found
