"""The engine at work on a message: a line of steps, done, under way and still to come, and how long all of it took."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from workbench.components import badges
from workbench.presenters.figures import latency
from workbench.presenters.live_thinking import STEPS, Step, StepTaken, summary


def thinking(steps: Sequence[StepTaken]) -> None:
    """What is done with the newest message. Drawn over and over in one place, so always with as many elements."""
    taken = {step.step: step.milliseconds for step in steps}
    with badges.row():
        for step in STEPS:
            _step(step, begun=step in taken, milliseconds=taken.get(step))
        st.caption(summary(steps), width="content")


def _step(step: Step, *, begun: bool, milliseconds: float | None) -> None:
    word = STEPS[step]
    if not begun:
        st.badge(word.name, color="gray", icon=":material/circle:", help=word.meaning)
    elif milliseconds is None:
        st.badge(word.name, color="violet", icon=":material/progress_activity:", help=word.meaning)
    else:
        st.badge(word.name, color="green", icon=":material/check:", help=f"{latency(milliseconds)}. {word.meaning}")
