"""Taking outcomes along: every table for other programs, and a report to read, each made when asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import streamlit as st

from workbench.presenters.customer_text import on_one_line
from workbench.presenters.outcomes_export import FORMATS, Format

_WHAT, _OPEN = "outcomes export what", "outcomes export open"


@st.fragment
def export(
    tables: Mapping[str, str], file: Callable[[str, Format], bytes], report: Callable[[], str], name: str
) -> None:
    """`tables` are titles by name; `file` and `report` make what is downloaded; `name` is that of the files.

    The server knows whether the menu is open, so that it stays so when the page around it is drawn anew.
    """
    menu = st.popover("Export", icon=":material/download:", width="stretch", key=_OPEN, on_change="rerun")
    if menu.open:
        with menu:
            _files(tables, file, report, name)


def _files(
    tables: Mapping[str, str], file: Callable[[str, Format], bytes], report: Callable[[], str], name: str
) -> None:
    st.download_button(
        "Report to read or print",
        data=report,
        file_name=f"{name}.html",
        mime="text/html",
        icon=":material/description:",
        type="primary",
        on_click="ignore",
        help="One page of HTML that opens without a network.",
        width="stretch",
    )
    what = st.radio("Tables for other programs", list(tables), format_func=lambda own: tables[own], key=_WHAT)
    chosen = what or next(iter(tables))
    with st.container(horizontal=True):
        for format_, (ending, mime) in FORMATS.items():
            st.download_button(
                format_,
                data=partial(file, chosen, format_),
                file_name=f"{name}-{chosen}.{ending}",
                mime=mime,
                on_click="ignore",
            )
    st.caption(f"In {on_one_line(f'{name}-{chosen}')}, nothing rounded.")
