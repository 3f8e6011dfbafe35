"""A row of Postgres as a small table, and what another tenant sees in its place."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from workbench.components import badges, details
from workbench.presenters.customer_text import on_one_line
from workbench.presenters.live_row import Column, Size
from workbench.presenters.live_tenants import Sight, seen


def row(sight: Sight, columns: Sequence[Column], size: Size | None) -> None:
    """The row as its tenant sees it, changes set off, and how much room the engine's memory takes."""
    _title(sight, "green")
    if not columns:
        st.markdown(":gray[The first message makes the row.]")
    else:
        lines = [f"| :gray[{column.name}] | {_value(column)} |" for column in columns]
        st.markdown("\n".join(("| column | value |", "| --- | --- |", *lines)))
    if size is not None:
        st.progress(size.share, text=f"metadata.qbs: {size.used:,} of {size.limit:,} bytes")


def other(sight: Sight, own: Sight) -> None:
    """The same asked by somebody else, beside what its owner saw."""
    _title(sight, "red" if sight.total else "gray")
    if sight.total:
        st.error("Another tenant's rows were seen. Stop, and run `qbs db check`.")
    elif own.total:
        st.markdown("#### Nothing at all", anchors=False)
        st.markdown(
            f"Asked for the very same rows, with no condition on the tenant, Postgres answers 0 rows: row level "
            f"security keeps what belongs to {on_one_line(own.tenant)} from everybody else."
        )


def _title(sight: Sight, colour: badges.Colour) -> None:
    name = on_one_line(sight.tenant)
    details.title(f"Seen by {name}", f"Asked in a transaction of this tenant: {on_one_line(sight.tenant_id)}")
    with badges.row():
        for words in seen(sight):
            st.badge(words, color=colour, icon=":material/table_rows:")


def _value(column: Column) -> str:
    value = on_one_line(column.value)
    if column.before is None:
        return value
    return f":small[:gray[{on_one_line(column.before)} →]] :green-background[{value}]"
