"""In the place of what is not there: what is missing, and what to do about it."""

from __future__ import annotations

import shlex

import streamlit as st

from engine.errors import QBSError
from workbench.presenters.customer_text import on_one_line


def no_conversations() -> None:
    st.markdown("#### There are no conversations yet", anchors=False)
    st.markdown("Import some of your own: a file of JSON lines, one conversation a line.")
    st.code("qbs import conversations.jsonl --into pilot", language=None, wrap_lines=True)
    st.caption("`qbs import --help` shows the format.")


def unreadable(dataset: str, error: QBSError) -> None:
    st.error(f"The data set “{on_one_line(dataset)}” cannot be read. {on_one_line(str(error))}")
    st.caption("This lists everything that is wrong with it:")
    st.code(shlex.join(["qbs", "conversations", "check", dataset]), language=None, wrap_lines=True)


def one_run() -> None:
    st.markdown("#### Nothing to compare with yet", anchors=False)
    st.markdown("Only one run went through this conversation. A second one makes differences visible.")


def nothing_to_compare(runs: int) -> None:
    """A comparison takes two runs of a data set."""
    st.markdown("#### Nothing to compare yet", anchors=False)
    missing = "Two runs are needed" if runs == 0 else "A second run is needed"
    st.markdown(
        f"{missing}: one to measure, and one to measure it against. Without labels conduct and operations can still be "
        "compared."
    )


def no_runs() -> None:
    st.markdown("#### No runs yet", anchors=False)
    st.markdown("A run keeps what the engine concluded from each customer message. The rules need no model and no key.")


def model_needed(dataset: str) -> None:
    st.markdown("Ask a model, with its provider's key in the environment:")
    st.code(shlex.join(["qbs", "replay", dataset, "--variant", "llm:openai/gpt-4.1"]), language=None, wrap_lines=True)


def problem(what: str) -> None:
    """Something cannot be read or done, in the words of its error."""
    st.error(on_one_line(what))
