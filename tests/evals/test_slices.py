"""Which turns a part holds."""

from __future__ import annotations

from itertools import compress

import numpy as np
import pytest

from engine.model.conversation import Channel, DealStage, Persona
from engine.model.qbs import EngagementSignal
from evals.slices import Slice, TurnTraits, stage_at
from tests.evals.runs_of import shipped

TURNS = [(talk.id, turn.index) for talk in shipped().conversations for turn in talk.customer_turns]


def traits_of(turns: list[tuple[str, int]]) -> TurnTraits:
    ids = sorted({id_ for id_, _ in turns})
    return TurnTraits(shipped(), turns, ids, np.array([ids.index(id_) for id_, _ in turns]))


@pytest.mark.parametrize(
    ("part", "holds"),
    [
        (Slice(), lambda talk, turn, label: True),
        (Slice(personas=(Persona.IC, Persona.C_SUITE)), lambda talk, turn, label: talk.persona is not Persona.MANAGER),
        (Slice(channels=(Channel.EMAIL,)), lambda talk, turn, label: talk.channel is Channel.EMAIL),
        (Slice(splits=("test",)), lambda talk, turn, label: shipped().split[talk.id] == "test"),
        (Slice(stages=(DealStage.DISCOVERY,)), lambda talk, turn, label: stage_at(talk, turn) is DealStage.DISCOVERY),
        (
            Slice(engagements=(EngagementSignal.RESISTANT,)),
            lambda talk, turn, label: label.engagement is EngagementSignal.RESISTANT,
        ),
        (Slice(conversations=("deflector",)), lambda talk, turn, label: talk.id == "deflector"),
    ],
)
def test_a_part_holds_the_turns_that_fit_every_filter(part, holds):
    wanted = [key for key in TURNS if holds(shipped().conversation(key[0]), key[1], shipped().labels[key[0]][key[1]])]
    assert wanted
    assert list(compress(TURNS, part.mask(traits_of(TURNS)))) == wanted


def test_a_turn_of_nobody_is_in_no_part():
    assert not Slice().mask(traits_of([("nobody", 1)])).any()


def test_the_stage_is_that_before_the_turn():
    changed = next(talk for talk in shipped().conversations if talk.stage_changes)
    change = changed.stage_changes[0]
    assert stage_at(changed, change.after_turn) is changed.opening_stage
    assert stage_at(changed, change.after_turn + 1) is change.to
    assert Slice(personas=(Persona.IC,), splits=("dev", "test")).filters == 3
