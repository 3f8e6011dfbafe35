"""What two runs sent to their models at a turn: struck out what only the first had, underlined what only the second."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from evals.tuning.word_diff import Piece
from workbench.presenters.compare_prompts import PromptDifference
from workbench.presenters.customer_text import on_one_line

_PIXELS = 320


def prompts(found: Sequence[PromptDifference], names: tuple[str, str]) -> None:
    if not found:
        st.caption("Neither run asked a model, so there are no prompts to compare.")
        return
    for own in found:
        refs = [f"{name}: {ref or 'none'}" for name, ref in zip(names, own.refs, strict=True)]
        st.markdown(f"**{own.title}** :small[:gray[{on_one_line(' · '.join(refs))}]]\\\n{on_one_line(own.said)}")
        if own.pieces:
            with st.container(height=_PIXELS, border=True):
                st.markdown(" ".join(map(piece, own.pieces)))


def piece(own: Piece) -> str:
    """Some words of a difference as markdown: told by sign and weight, not by colour alone."""
    text = on_one_line(own.text)
    match own.kind:
        case "removed":
            return f":orange-background[:material/remove: ~~{text}~~]"
        case "added":
            return f":blue-background[:material/add: **{text}**]"
        case "gap":
            return "\n\n:gray[…]"
        case _:
            return text
