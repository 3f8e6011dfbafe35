"""No stage is skipped and nothing leaves a closed deal."""

from __future__ import annotations

from itertools import product

import pytest

from engine.errors import InvalidStageTransitionError
from engine.model.conversation import DealStage
from engine.stages import is_valid_transition, validate_transition

# Rows: from. Columns in the order of DealStage: pros disc qual eval nego won lost stalled.
ALLOWED = {
    "prospecting": "1100 0001",
    "discovery": "0110 0001",
    "qualification": "0011 0001",
    "evaluation": "0001 1001",
    "negotiation": "0000 1111",
    "closed_won": "0000 0100",
    "closed_lost": "0000 0010",
    "stalled": "1111 1001",
}


@pytest.mark.parametrize(("current", "requested"), list(product(DealStage, DealStage)))
def test_every_pair_of_stages(current: DealStage, requested: DealStage) -> None:
    allowed = ALLOWED[current].replace(" ", "")[list(DealStage).index(requested)] == "1"
    assert is_valid_transition(current, requested) is allowed
    if allowed:
        validate_transition(current, requested)
    else:
        with pytest.raises(InvalidStageTransitionError):
            validate_transition(current, requested)


def test_the_error_carries_both_stages_and_names_the_allowed_ones() -> None:
    with pytest.raises(InvalidStageTransitionError, match="allowed from here: qualification, stalled") as caught:
        validate_transition(DealStage.DISCOVERY, DealStage.NEGOTIATION)
    assert (caught.value.current, caught.value.requested) == ("discovery", "negotiation")
    assert caught.value.allowed == ("qualification", "stalled")


def test_the_error_on_a_closed_deal_says_that_it_is_final() -> None:
    with pytest.raises(InvalidStageTransitionError, match="final"):
        validate_transition(DealStage.CLOSED_WON, DealStage.NEGOTIATION)
