"""What the engine does with a message, step by step, in words and milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from workbench.presenters.figures import latency
from workbench.presenters.words import Word

_NOTHING = "\u00a0"  # holds the place of a text


class Step(StrEnum):
    """What is done with a customer's message, in this order. Preparing is for the first one only."""

    PREPARING = "preparing"
    ACCEPTING = "accepting"
    READING = "reading"
    KEEPING = "keeping"
    DRAFTING = "drafting"


STEPS = {
    Step.ACCEPTING: Word("Accept", "The message becomes a row of its tenant; delivered again, it changes nothing."),
    Step.READING: Word("Read", "Qualification, next question and people, side by side and outside of any transaction."),
    Step.KEEPING: Word("Keep", "The state's row is locked, the answer merged into it, and an outcome opened with it."),
    Step.DRAFTING: Word("Draft", "A reply that carries the question, one question only."),
}


@dataclass(frozen=True, slots=True)
class StepTaken:
    """A step and how long it took; None while it is under way."""

    step: Step
    milliseconds: float | None


def summary(steps: Sequence[StepTaken]) -> str:
    """How long everything took, once it is done; of a seller's message, why there is no more to it."""
    if steps and steps[-1] == StepTaken(Step.PREPARING, None):
        return "The libraries that ask models are being loaded; only the first time."
    times = [step.milliseconds for step in steps if step.milliseconds is not None]
    if not times or len(times) < len(steps):
        return _NOTHING
    read = any(step.step in (Step.READING, Step.KEEPING) for step in steps)
    return latency(sum(times)) + ("" if read else ", a seller's message is kept and not read")
