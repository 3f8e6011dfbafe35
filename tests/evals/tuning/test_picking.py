"""Choosing turns to try on."""

from __future__ import annotations

import pytest

from engine.errors import InputError
from evals.metrics import find_metrics
from evals.scoring import score
from evals.tuning.picking import named_turns, random_turns, worst_turns
from evals.tuning.turn_scores import TurnScore, mean_scores, turn_scores

TURNS = {
    ("a", 1): 0.0,
    ("a", 3): 0.0,
    ("a", 5): 0.5,
    ("b", 1): 0.0,
    ("b", 3): None,
    ("c", 1): 1.0,
}


def scored(values: dict) -> dict:
    return {turn: TurnScore({"m": value}) for turn, value in values.items()}


def test_the_worst_come_first_and_equally_bad_ones_from_many_conversations():
    assert worst_turns(scored(TURNS), 3) == (("a", 1), ("b", 1), ("a", 3))
    assert worst_turns(scored(TURNS)) == (("a", 1), ("b", 1), ("a", 3), ("a", 5), ("c", 1))


def test_a_draw_is_the_same_for_one_seed_whatever_the_order():
    turns = list(TURNS)
    assert random_turns(turns, 3, seed=4) == random_turns(reversed(turns), 3, seed=4)
    assert len({random_turns(turns, 3, seed=seed) for seed in range(20)}) > 1
    assert random_turns(turns, 99) == tuple(sorted(turns))


def test_named_turns_are_those_of_the_run():
    assert named_turns([("b", 1), ("a", 1), ("b", 1)], TURNS, "run-1") == (("b", 1), ("a", 1))
    with pytest.raises(InputError, match="run-1 has no answer to d:9"):
        named_turns([("a", 1), ("d", 9)], TURNS, "run-1")


def test_a_turn_that_could_not_be_judged_counts_as_nothing_in_a_mean_and_as_none_by_itself():
    values = scored({("a", 1): 1.0, ("a", 3): None}).values()
    assert mean_scores(values, find_metrics(("extraction.f1",))[:0]) == {}
    assert TurnScore({"m": None, "n": 0.5}).value == 0.5
    assert TurnScore({"m": None}).value is None


def test_only_shares_score_a_turn():
    with pytest.raises(InputError, match=r"operations\.tokens is no share"):
        turn_scores(score((), {}, ()), find_metrics(("operations.tokens",)))
