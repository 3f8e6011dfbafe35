"""Scoring: which turns count, what they sum to, and estimates with their n."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.errors import InputError
from evals.judged_turns import judged_turns
from evals.metrics import METRICS, find_metric, find_metrics
from evals.metrics.judged import View
from evals.records import Failure
from evals.scoring import score
from tests.evals.metrics.turns import FALLBACK, analysis, record, said, signal
from tests.evals.values import conversation, label

TALKS = [conversation(name) for name in ("alpha", "beta", "gamma")]
F1 = find_metrics(("extraction.f1",))


def right(talk: Any, turn: int, **fields: Any):
    return record(analysis({"budget": signal("q", turn=turn)}, **fields), turn, of=talk)


def wrong(talk: Any, turn: int, **fields: Any):
    return record(analysis({"pain": signal("q", turn=turn)}, **fields), turn, of=talk)


LABELS = {talk.id: {turn: label(turn, talk.id, dimensions=[said("budget")]) for turn in (1, 3, 5)} for talk in TALKS}


def test_counts_are_summed_by_conversation():
    records = [right(TALKS[0], 1), wrong(TALKS[0], 3), right(TALKS[1], 1)]
    scores = score(records, LABELS, TALKS, F1)
    assert scores.conversations == ("alpha", "beta")
    by_conversation = scores.by_conversation(F1[0].tally)[:, :3]  # tp, fp, fn
    np.testing.assert_array_equal(by_conversation, [[1, 1, 1], [1, 0, 0]])
    assert scores.estimates()["extraction.f1"].value == pytest.approx(2 / 3)


def test_an_estimate_counts_the_turns_that_gave_it_data():
    records = [right(TALKS[0], 1), record(analysis(), 3, of=TALKS[0]), right(TALKS[1], 1)]
    estimates = score(records, LABELS, TALKS, find_metrics(("extraction.precision", "extraction.recall"))).estimates()
    assert (estimates["extraction.precision"].n, estimates["extraction.recall"].n) == (2, 3)


@pytest.mark.parametrize(("view", "value", "n"), [(View.MODEL, 1.0, 1), (View.ALL, 1 / 2, 2)])
def test_a_models_score_never_contains_what_the_rules_answered(view: View, value: float, n: int):
    records = [right(TALKS[0], 1), wrong(TALKS[0], 3, sources={"extraction": FALLBACK})]
    found = score(records, LABELS, TALKS, F1, view).estimates()["extraction.f1"]
    assert (found.value, found.n) == (pytest.approx(value), n)


def test_each_answer_counts_by_its_own_source():
    only_question_failed = right(TALKS[0], 1, sources={"question": FALLBACK})
    estimates = score(
        [only_question_failed], LABELS, TALKS, find_metrics(("extraction.f1", "question.type"))
    ).estimates()
    assert estimates["extraction.f1"].value == 1.0
    assert estimates["question.type"].value is None


def test_a_turn_that_failed_counts_as_a_failure_and_for_nothing_else():
    records = [right(TALKS[0], 1), record(Failure(error="E", message="m"), 3, of=TALKS[0])]
    estimates = score(records, LABELS, TALKS).estimates(resamples=50)
    assert estimates["operations.failures"].value == 0.5
    assert estimates["extraction.f1"].value == 1.0
    assert {estimates[name].n for name in ("question.type", "operations.tokens")} == {1}


def test_without_records_every_figure_is_none_and_none_is_0():
    estimates = score([], {}, TALKS).estimates()
    assert {estimate.value for estimate in estimates.values()} == {None}
    assert len(estimates) == len(METRICS)


def test_without_labels_what_needs_none_is_still_judged():
    estimates = score([right(TALKS[0], 1)], {}, TALKS).estimates(resamples=50)
    assert estimates["extraction.f1"].value is None
    assert estimates["operations.fallbacks"].value == 0.0
    assert estimates["conduct.jargon"].value == 0.0


def test_a_record_of_an_unknown_conversation_is_refused_by_name():
    with pytest.raises(InputError, match="no conversation 'gamma'"):
        score([right(TALKS[2], 1)], LABELS, TALKS[:2])


def test_turns_are_judged_in_order_whatever_the_order_of_the_records():
    records = [right(TALKS[0], 5), right(TALKS[0], 1), right(TALKS[0], 3)]
    turns = list(judged_turns(records, LABELS, TALKS))
    assert [(turn.record.turn, len(turn.earlier)) for turn in turns] == [(1, 0), (3, 1), (5, 2)]


def test_a_conversation_is_judged_as_soon_as_it_is_complete_and_then_let_go():
    read: list[tuple[str, int]] = []

    def records():
        for talk in TALKS[:2]:
            for turn in (1, 3, 5):
                read.append((talk.id, turn))
                yield right(talk, turn)

    turns = judged_turns(records(), LABELS, TALKS)
    assert [next(turns).record.turn for _ in range(3)] == [1, 3, 5]
    assert {conversation for conversation, _ in read} == {"alpha"}


def test_scores_do_not_depend_on_the_order_of_the_records():
    records = [own for talk in TALKS for own in (right(talk, 1), wrong(talk, 3), right(talk, 5))]
    mixed = [records[place] for place in (7, 2, 0, 8, 5, 1, 3, 6, 4)]
    first, second = (score(own, LABELS, TALKS, F1) for own in (records, mixed))
    assert first.records == second.records
    one, other = (scores.counts["extraction.hits"] for scores in (first, second))
    for name in ("judged", "record", "part", "amount"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_samples_are_conversations_answered_apart():
    records = [right(TALKS[0], turn).model_copy(update={"sample": sample}) for turn in (1, 3) for sample in (0, 1)]
    turns = list(judged_turns(records, LABELS, TALKS))
    assert [(turn.record.sample, len(turn.earlier)) for turn in turns] == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_what_was_said_grows_from_turn_to_turn():
    labels = {
        "alpha": {
            1: label(1, dimensions=[said("budget")]),
            3: label(3),
            5: label(5, dimensions=[said("pain")]),
        }
    }
    turns = judged_turns([right(TALKS[0], turn) for turn in (1, 3, 5)], labels, TALKS)
    assert [sorted(turn.said) for turn in turns] == [["budget"], ["budget"], ["budget", "pain"]]


def test_fallbacks_are_noted_with_turn_answer_and_reason():
    (note,) = score([right(TALKS[0], 3, sources={"question": FALLBACK})], LABELS, TALKS, F1).fallbacks
    assert (note.conversation_id, note.turn, note.answer, note.reason) == ("alpha", 3, "question", "timeout")


def test_equal_seeds_give_equal_intervals():
    talks = [conversation(f"talk{number}") for number in range(20)]
    labels = {talk.id: {1: label(1, talk.id, dimensions=[said("budget")])} for talk in talks}
    records = [(wrong if number % 2 else right)(talk, 1) for number, talk in enumerate(talks)]
    scores = score(records, labels, talks, F1)
    first, again, other = (scores.estimates(resamples=200, seed=seed)["extraction.f1"] for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert first.low is not None


def test_the_part_that_a_metric_does_not_read_gives_it_no_n():
    found = score([right(TALKS[0], 1)], LABELS, TALKS, (find_metric("extraction.pain.f1"),)).estimates()
    assert (found["extraction.pain.f1"].value, found["extraction.pain.f1"].n) == (None, 0)


def test_scores_of_some_turns_are_what_scoring_these_turns_gives():
    records = [answer(talk, turn) for talk, answer in zip(TALKS, (right, wrong, right), strict=True) for turn in (1, 3)]
    records += [right(TALKS[0], 5, sources={"question": FALLBACK})]
    whole = score(records, LABELS, TALKS)
    some = whole.of_turns({key[:2] for key in whole.records if key[0] != "beta" and key[1] != 3})
    alone = score([one for one in records if one.conversation_id != "beta" and one.turn != 3], LABELS, TALKS)
    assert (some.records, some.fallbacks) == (alone.records, alone.fallbacks)
    assert some.estimates(resamples=50) == alone.estimates(resamples=50)
