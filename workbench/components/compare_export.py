"""Taking a comparison along: files for other programs, and a report to read. Each is made only once it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal, get_args

import streamlit as st

from workbench.presenters.compare_export import FORMATS, Format

What = Literal["The scoreboard", "The turns that differ"]
_WHAT, _OPEN = "export what", "export open"


@st.fragment
def export(file: Callable[[What, Format], bytes], report: Callable[[], str], name: str) -> None:
    """`file` and `report` make what is downloaded; `name` is that of the files, without ending.

    The server knows whether the menu is open, so that it stays so when the page around it is drawn anew. What is in it
    is drawn once it is open: a button that is drawn anew while it is pressed would lead to a file that is gone.
    """
    menu = st.popover("Export", icon=":material/download:", width="content", key=_OPEN, on_change="rerun")
    if menu.open:
        with menu:
            _files(file, report, name)


def _files(file: Callable[[What, Format], bytes], report: Callable[[], str], name: str) -> None:
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
    what = st.segmented_control("Figures for other programs", get_args(What), key=_WHAT, default="The scoreboard")
    chosen: What = what or "The scoreboard"
    with st.container(horizontal=True):
        for format_, (ending, mime) in FORMATS.items():
            st.download_button(
                format_,
                data=partial(file, chosen, format_),
                file_name=f"{name}-{'turns' if chosen == 'The turns that differ' else 'scoreboard'}.{ending}",
                mime=mime,
                on_click="ignore",
            )
