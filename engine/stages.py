"""Deal stages: which may follow which. No stage is skipped, and nothing leaves a closed deal."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from engine.errors import InvalidStageTransitionError
from engine.model.conversation import DealStage

ACTIVE_STAGES = (
    DealStage.PROSPECTING,
    DealStage.DISCOVERY,
    DealStage.QUALIFICATION,
    DealStage.EVALUATION,
    DealStage.NEGOTIATION,
)

VALID_TRANSITIONS: Mapping[DealStage, tuple[DealStage, ...]] = MappingProxyType(
    {
        DealStage.PROSPECTING: (DealStage.DISCOVERY, DealStage.STALLED),
        DealStage.DISCOVERY: (DealStage.QUALIFICATION, DealStage.STALLED),
        DealStage.QUALIFICATION: (DealStage.EVALUATION, DealStage.STALLED),
        DealStage.EVALUATION: (DealStage.NEGOTIATION, DealStage.STALLED),
        DealStage.NEGOTIATION: (DealStage.CLOSED_WON, DealStage.CLOSED_LOST, DealStage.STALLED),
        DealStage.STALLED: ACTIVE_STAGES,
        DealStage.CLOSED_WON: (),
        DealStage.CLOSED_LOST: (),
    }
)


def is_valid_transition(current: DealStage, requested: DealStage) -> bool:
    """Whether a deal may move so. Staying is always allowed."""
    return requested == current or requested in VALID_TRANSITIONS[current]


def validate_transition(current: DealStage, requested: DealStage) -> None:
    """Raise `InvalidStageTransitionError`, which names the allowed stages, if a deal may not move so."""
    if not is_valid_transition(current, requested):
        raise InvalidStageTransitionError(current, requested, VALID_TRANSITIONS[current])
