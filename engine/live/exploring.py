"""Exploring a turn in production: a defect in it costs the random choice, never the message."""

from __future__ import annotations

import structlog

from engine.exploration import Chosen, Exploration, explore
from engine.live.answering import kind_of
from engine.live.keeping import Delivered
from engine.model.analysis import Analysis


def explored(
    exploration: Exploration | None, delivered: Delivered, analysis: Analysis
) -> tuple[Analysis, Chosen | None]:
    """The analysis with its question chosen at random, and how; as it is, and None, where nothing is explored.

    What is drawn depends on the contact and the message alone, so that a message that could not be saved is answered
    alike when it is delivered again.
    """
    if exploration is None:
        return analysis, None
    key = (delivered.saved.state.state_id, delivered.message.message_id)
    try:
        return explore(exploration, delivered.before, delivered.turn, delivered.history, analysis, key=key)
    except Exception as defect:  # noqa: BLE001  # the usual question is there, and the message has to count
        structlog.get_logger(__name__).error("exploration failed; the usual question stays", error=kind_of(defect))
        return analysis, None
