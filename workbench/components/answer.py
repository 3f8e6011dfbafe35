"""What one side made of a message: the question it would ask, what changed in what it knows, what was corrected."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from evals.records import Failure
from workbench.components import badges
from workbench.presenters.changes import Change, Changes
from workbench.presenters.customer_text import on_one_line
from workbench.presenters.figures import percent
from workbench.presenters.provenance import Origin
from workbench.presenters.question import Asked, Corrected
from workbench.presenters.words import Word

_KIND_ICONS = {
    "added": ":green[:material/add_circle:]",
    "raised": ":blue[:material/arrow_circle_up:]",
    "changed": ":orange[:material/change_circle:]",
}
_BACKING_OFF = Word("Backing off", "The customer has had enough for now: no digging.")


def heading(name: str, origins: Sequence[Origin], took: str) -> None:
    """The side's name and, plainly, who answered."""
    with st.container(gap="xxsmall"):
        st.markdown(f"##### {on_one_line(name)}", anchors=False)
        with badges.row():
            badges.origins(origins)
            if took:
                st.caption(took)


def question(asked: Asked, calibrated: Word | None = None) -> None:
    """The question, what kind it is, why, and how the customer was read.

    `calibrated` is what the calibration in use makes of the confidence, where one speaks of it.
    """
    if asked.question:
        st.markdown(f"#### {on_one_line(asked.question)}", anchors=False)
    else:
        st.markdown(":gray[Labels say what kind of question fits, not how to word it.]")
    with badges.row():
        badges.badge(asked.question_type, "violet", ":material/help:")
        badges.badge(Word(asked.target.name, f"What it is about. {asked.target.meaning}"), icon=":material/target:")
        badges.badge(asked.delivery, icon=":material/record_voice_over:")
    if asked.why:
        st.caption(on_one_line(asked.why))
    with badges.row():
        badges.badge(asked.engagement, icon=":material/person:")
        badges.badge(Word(f"Pain: {asked.depth.name.lower()}", asked.depth.meaning), icon=":material/stairs_2:")
        if asked.confidence is not None:
            badges.badge(_likely(asked.confidence), icon=":material/reply:")
        if calibrated is not None:
            badges.badge(calibrated, "blue", ":material/tune:")
        if asked.backing_off:
            badges.badge(_BACKING_OFF, "orange", ":material/front_hand:")


def missing(failure: Failure | None, command: str) -> None:
    """In the place of an answer: why there is none."""
    if failure is not None:
        st.error(f"This turn failed: {on_one_line(failure.error)}. {on_one_line(failure.message)}")
        return
    st.caption("This run has not come to this message yet. The command that began it goes on with it, as in:")
    st.code(command, language=None, wrap_lines=True)


def changes(found: Changes) -> None:
    """What this message added, raised or changed; and what stayed."""
    st.markdown("##### What changed", anchors=False)
    if found.changes:
        st.markdown("\\\n".join(map(_change, found.changes)))
    else:
        st.markdown(":gray[Nothing new in this message]")
    if found.unchanged:
        st.caption(f"Unchanged: {', '.join(found.unchanged)}")


def corrections(found: Sequence[Corrected]) -> None:
    """What the guardrails changed, before and after; nothing at all where they changed nothing."""
    if not found:
        return
    st.markdown("##### Corrected by guardrails", anchors=False)
    for item in found:
        with st.container(gap="xxsmall"):
            with badges.row():
                badges.badge(item.rule, "orange", ":material/shield:")
                st.caption(f"{on_one_line(item.subject)}: {on_one_line(item.reason)}")
            before = f":small[:gray[:material/remove: {on_one_line(item.before)}]]"
            st.markdown(f"{before}\\\n:small[:material/add: {on_one_line(item.after)}]")


def _likely(confidence: float) -> Word:
    return Word(f"{percent(confidence)} likely answered", "How likely the engine thinks an answer with substance is.")


def _change(change: Change) -> str:
    before = f":gray[{on_one_line(change.before)} →] " if change.before is not None else ""
    return f"{_KIND_ICONS[change.kind]} :gray[{on_one_line(change.what)}&#58;] {before}{on_one_line(change.after)}"
