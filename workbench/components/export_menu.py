"""Taking along what a page shows: tables for other programs, and a report to read. Each is made when asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import streamlit as st

from workbench.presenters.customer_text import on_one_line
from workbench.presenters.table_files import FORMATS, Format


@st.fragment
def export(
    tables: Mapping[str, str],
    file: Callable[[str, Format], bytes],
    report: Callable[[], str],
    name: str,
    *,
    key: str,
) -> None:
    """`tables` are titles by name; `file` and `report` make what is downloaded; `name` is that of the files; `key`
    tells the menu from those of other pages.

    The server knows whether the menu is open, so that it stays so when the page around it is drawn anew. What is in it
    is drawn once it is open: a button that is drawn anew while it is pressed would lead to a file that is gone.
    """
    menu = st.popover(
        "Export", icon=":material/download:", width="stretch", key=f"{key} export open", on_change="rerun"
    )
    if menu.open:
        with menu:
            _files(tables, file, report, name, key)


def _files(
    tables: Mapping[str, str], file: Callable[[str, Format], bytes], report: Callable[[], str], name: str, key: str
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
    what = st.radio("Tables for other programs", list(tables), format_func=tables.__getitem__, key=f"{key} export what")
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
