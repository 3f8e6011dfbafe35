"""Every value of the engine has a name and a sentence for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import pytest

from engine.model.analysis import FallbackReason, GuardrailRule
from engine.model.conversation import Channel, DealStage, Persona
from engine.model.qbs import EngagementSignal, PainDepthLevel, QBSQuestionType, Urgency, VossDelivery
from engine.model.qualification import Dimension
from evals.records import RunStatus, StateMode
from workbench.presenters import words


@pytest.mark.parametrize(
    ("said", "values"),
    [
        (words.QUESTION_TYPES, QBSQuestionType),
        (words.DELIVERIES, VossDelivery),
        (words.ENGAGEMENTS, EngagementSignal),
        (words.DEPTHS, PainDepthLevel),
        (words.DIMENSIONS, Dimension),
        (words.URGENCIES, Urgency),
        (words.RULES, get_args(GuardrailRule)),
        (words.FALLBACKS, FallbackReason),
        (words.PERSONAS, Persona),
        (words.CHANNELS, Channel),
        (words.STAGES, DealStage),
        (words.STATUSES, RunStatus),
        (words.STATE_MODES, StateMode),
    ],
)
def test_every_value_has_its_own_words(said: Mapping[Any, words.Word], values: Any) -> None:
    assert set(said) == set(values)
    assert len({word.name for word in said.values()}) == len(said)
    for word in said.values():
        assert word.name
        assert word.meaning.endswith((".", "?", "..."))
        assert "_" not in word.name
