from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from engine.model.analysis import Source
from engine.model.qualification import Evidence, Signal
from engine.model.state import ConversationState

STATE = ConversationState(state_id="s", tenant_id="t", account_id="a", contact_id="c", metadata={"qbs": {"x": [1]}})
COPIES = [
    (Signal(value="50k", confidence=0.9, evidence=(Evidence(quote="50k", turn=2),)), {"confidence": 0.5}),
    (Source(kind="rules"), {"latency_ms": 3.0}),
    (STATE, {"interaction_count": 4}),
    (STATE, {}),
]


@pytest.mark.parametrize(("value", "changes"), COPIES)
def test_a_copy_is_what_pydantic_makes_of_it(value, changes):
    ours, plain = value.model_copy(update=changes), BaseModel.model_copy(value, update=changes)
    assert ours == plain
    assert ours.model_fields_set == plain.model_fields_set
    assert ours.model_dump_json() == plain.model_dump_json()


def test_a_copy_leaves_the_original_as_it_was_and_is_frozen_too():
    copy = STATE.model_copy(update={"contact_name": "Ana"})
    assert STATE.contact_name is None
    with pytest.raises(ValidationError):
        copy.contact_name = "Bo"


def test_a_deep_copy_shares_nothing_that_could_be_written_to():
    copy = STATE.model_copy(deep=True)
    assert copy == STATE
    assert copy.metadata["qbs"] is not STATE.metadata["qbs"]
