"""Comparison: which turns are compared, what the rows say, verdicts that must be, and which turns moved."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import pytest

from engine.errors import InputError
from engine.model.analysis import FallbackReason, Source
from engine.model.qualification import QualificationState
from engine.rules import recommend_by_seed
from evals.compare import Comparison, compare, judged_together, turn_changes
from evals.inference.verdict import Verdict
from evals.metrics import METRICS, find_metric, find_metrics
from evals.metrics.judged import View
from evals.records import TurnRecord
from evals.scoring import Scores, score
from evals.turn_changes import keys_of
from tests.evals.metrics.turns import analysis, record, said, signal
from tests.evals.runs_of import by_labels, by_model, by_rules, shipped, talks
from tests.evals.values import conversation, label

RESAMPLES = 1_000
F1 = find_metrics(("extraction.f1",))


def of_shipped(records: Any, name: str, view: View = View.MODEL, **fields: Any) -> Scores:
    return score(records, shipped().labels, talks(), view=view, name=name, **fields)


def verdicts(found: Comparison) -> dict[str, Verdict]:
    """Of the metrics that have data in both runs."""
    return {row.metric.name: row.verdict for row in found.rows if row.difference.value is not None}


# Comparisons whose verdict is known


@pytest.mark.parametrize("view", View)
def test_the_same_run_twice_is_tied_in_everything(view: View):
    scores = of_shipped(by_model(), "model", view)
    found = compare(scores, scores, resamples=RESAMPLES)
    assert set(verdicts(found).values()) == {Verdict.TIED}
    assert {row.difference.value for row in found.rows} <= {0.0, None}
    assert {(row.difference.low, row.difference.high) for row in found.rows} <= {(0.0, 0.0), (None, None)}
    assert not turn_changes(scores, scores, find_metric("extraction.f1"))


@pytest.mark.parametrize(
    "name", ["extraction.f1", "extraction.recall", "extraction.value_agreement", "question.type", "question.engagement",
             "expansion.precision", "expansion.recall"],
)  # fmt: skip
def test_labels_are_better_than_rules(name: str):
    found = labels_against_rules().row(name)
    assert found.verdict is Verdict.BETTER
    assert found.second.value == pytest.approx(1.0)
    assert found.p is not None
    assert found.p < 0.01


def test_rules_are_worse_than_labels_by_the_same():
    labels, rules = of_shipped(by_labels(), "labels"), of_shipped(by_rules(), "rules")
    back, forth = (
        compare(*pair, resamples=RESAMPLES).row("extraction.f1") for pair in ((labels, rules), (rules, labels))
    )
    assert (back.verdict, forth.verdict) == (Verdict.WORSE, Verdict.BETTER)
    assert back.difference.value == pytest.approx(-(forth.difference.value or 0))
    assert back.p == pytest.approx(forth.p)


@cache
def labels_against_rules() -> Comparison:
    return compare(of_shipped(by_rules(), "rules"), of_shipped(by_labels(), "labels"), resamples=RESAMPLES)


def with_noise(records: Any, seed: int) -> tuple[TurnRecord, ...]:
    """Answers as another sample of the same variant would be: now and then a dimension is not found."""
    choose = random.Random(seed)
    return tuple(_forgetting(one) if choose.random() < 0.15 else one for one in records)


def _forgetting(one: TurnRecord) -> TurnRecord:
    empty = one.result.extraction.model_copy(update={"found": QualificationState()})
    return one.model_copy(update={"result": one.result.model_copy(update={"extraction": empty})})


def test_two_samples_of_one_variant_are_tied_and_say_why():
    first, second = (of_shipped(with_noise(by_model(), seed), f"sample {seed}", variant="llm:m") for seed in (1, 2))
    found = compare(first, second, resamples=RESAMPLES)
    assert found.same_variant
    assert set(verdicts(found).values()) == {Verdict.TIED}
    assert found.row("extraction.f1").difference.value != 0.0
    assert "same variant" in found.row("extraction.f1").reason


def test_the_same_noise_between_two_variants_is_not_called_a_tie():
    first, second = (of_shipped(with_noise(by_model(), seed), f"sample {seed}", variant=f"v{seed}") for seed in (1, 2))
    assert compare(first, second, resamples=RESAMPLES).row("extraction.f1").verdict is Verdict.NOT_ENOUGH_DATA


# Faults


def with_faults(records: Any, share: float) -> tuple[TurnRecord, ...]:
    """The records with this share of all answers replaced by fallbacks, as a model's failures would leave them."""
    choose = random.Random(3)
    failed = Source(
        kind="rules", model="m", fallback_reason=FallbackReason.TIMEOUT, latency_ms=8_000, attempts=1, cost_usd=0.0
    )

    def spoiled(one: TurnRecord) -> TurnRecord:
        fallbacks = {
            "extraction": {"found": QualificationState(), "source": failed},
            "question": {"recommendation": recommend_by_seed(one.before), "proposed": None, "source": failed},
            "expansion": {"triggers": (), "source": failed},
        }
        hit = {name: own for name, own in fallbacks.items() if choose.random() < share}
        changed = {name: getattr(one.result, name).model_copy(update=own) for name, own in hit.items()}
        return one.model_copy(update={"result": one.result.model_copy(update=changed)})

    return tuple(spoiled(one) for one in records)


def test_faults_move_no_score_of_what_the_model_answered_but_they_do_move_the_fallback_share():
    clean, faulty = of_shipped(by_model(), "clean"), of_shipped(with_faults(by_model(), 0.3), "faulty")
    found = compare(clean, faulty, resamples=RESAMPLES)
    quality = [row for row in found.rows if not row.metric.name.startswith("operations.")]
    assert {row.difference.value for row in quality} <= {0.0, None}
    assert {row.verdict for row in quality if row.difference.value is not None} == {Verdict.TIED}
    fallbacks = found.row("operations.fallbacks")
    assert fallbacks.verdict is Verdict.WORSE
    assert fallbacks.difference.value == pytest.approx(0.3, abs=0.05)
    assert found.row("extraction.f1").left_out[0] == pytest.approx(0.3 * found.turns, abs=0.1 * found.turns)


def test_what_the_seller_saw_does_get_worse_with_faults():
    clean, faulty = (of_shipped(records, "r", View.ALL) for records in (by_model(), with_faults(by_model(), 0.3)))
    found = compare(clean, faulty, resamples=RESAMPLES)
    assert found.row("extraction.recall").verdict is Verdict.WORSE
    assert found.row("extraction.f1").left_out == (0, 0)


# Worked by hand

TALKS = [conversation(f"talk{number:02}", customer_turns=2) for number in range(8)]
LABELS = {talk.id: {turn: label(turn, talk.id, dimensions=[said("budget")]) for turn in (1, 3)} for talk in TALKS}


def answers(*marks: str, samples: int = 1) -> list[TurnRecord]:
    """One mark for each talk, one letter for each turn: r right, m missed, - not answered."""
    return [
        record(analysis({"budget": signal("q", turn=turn)} if letter == "r" else {}), turn, of=talk, sample=sample)
        for talk, mark in zip(TALKS, marks, strict=False)
        for turn, letter in zip((1, 3), mark, strict=True)
        if letter != "-"
        for sample in range(samples)
    ]


def of_answers(*marks: str, name: str = "run", metrics: Any = F1, **fields: Any) -> Scores:
    return score(answers(*marks), LABELS, TALKS, metrics, name=name, **fields)


def test_only_turns_that_both_answered_are_compared_and_the_others_are_counted():
    first, second = of_answers("rr", "m-", "rr"), of_answers("rm", "mm", "--", "rr")
    found = compare(first, second, resamples=50)
    row = found.row("extraction.f1")
    assert (found.turns, found.left_out, found.conversations) == (3, (2, 3), 2)
    assert (row.turns, row.left_out, row.turns_differing) == (3, (2, 3), 1)
    assert (row.first.value, row.second.value) == (pytest.approx(4 / 5), pytest.approx(2 / 4))


def test_each_side_counts_the_turns_that_gave_it_data():
    metrics = find_metrics(("extraction.precision", "extraction.recall"))
    found = compare(of_answers("rm", "rr", metrics=metrics), of_answers("rr", "rr", metrics=metrics), resamples=50)
    counted = {row.metric.name: (row.first.n, row.second.n) for row in found.rows}
    assert counted == {"extraction.precision": (3, 4), "extraction.recall": (4, 4)}


def test_exact_p_and_verdict_of_a_worked_example():
    found = compare(of_answers(*["mr"] * 8), of_answers(*["rr"] * 8)).row("extraction.f1")
    assert found.test == "sign flips by conversation"
    assert found.p == pytest.approx(2 / 2**8)
    assert (found.verdict, found.gain) == (Verdict.BETTER, pytest.approx(1 - 2 / 3))


def test_with_five_conversations_no_difference_can_be_shown():
    found = compare(of_answers(*["mm"] * 5), of_answers(*["rr"] * 5)).row("extraction.f1")
    assert found.p == pytest.approx(2 / 2**5)
    assert found.verdict is Verdict.NOT_ENOUGH_DATA


def test_equal_sums_of_different_turns_in_few_conversations_are_no_tie():
    found = compare(of_answers("rm", "rm"), of_answers("mr", "mr")).row("extraction.f1")
    assert (found.difference.value, found.turns_differing) == (0.0, 4)
    assert found.difference.low is None
    assert found.verdict is Verdict.NOT_ENOUGH_DATA


def test_samples_of_a_turn_are_averaged_so_that_runs_of_different_samples_compare():
    once = score(answers("rr", "rm"), LABELS, TALKS, F1)
    thrice = score(answers("rr", "rm", samples=3), LABELS, TALKS, F1)
    row = compare(once, thrice, resamples=50).row("extraction.f1")
    assert (row.difference.value, row.turns, row.turns_differing) == (0.0, 4, 0)
    assert row.verdict is Verdict.TIED


def test_a_metric_without_data_says_which_run_lacks_it():
    metrics = find_metrics(("extraction.precision",))
    found = compare(of_answers("mm", metrics=metrics), of_answers("rr", metrics=metrics), resamples=50)
    row = found.row("extraction.precision")
    assert (row.verdict, row.p, row.difference.value) == (Verdict.NOT_ENOUGH_DATA, None, None)
    assert row.reason == "the first run has nothing to count"


def test_details_are_corrected_among_themselves():
    metrics = find_metrics(("extraction.f1", "extraction.recall", "extraction.macro_f1"))
    found = compare(of_answers(*["mr"] * 8, metrics=metrics), of_answers(*["rr"] * 8, metrics=metrics))
    p = 2 / 2**8
    assert [row.holm for row in found.rows] == pytest.approx([2 * p, 2 * p, p])
    assert [row.benjamini_hochberg for row in found.rows] == pytest.approx([p, p, p])


def test_what_must_be_0_is_tested_by_conversation():
    metrics = find_metrics(("expansion.known_again",))

    def reporting(who: str) -> Scores:
        records = [record(analysis(people=[who]), turn, of=talk) for talk in TALKS for turn in (1, 3)]
        return score(records, LABELS, TALKS, metrics)

    row = compare(reporting("Walt"), reporting("Ada Byron")).row("expansion.known_again")
    assert row.test == "McNemar by conversation"
    assert row.p == pytest.approx(2 / 2**8)
    assert row.verdict is Verdict.WORSE


# Turns


def test_turns_come_from_the_largest_gain_to_the_largest_loss():
    first, second = of_answers("mm", "rr", "rr"), of_answers("rm", "rm", "rr")
    changes = turn_changes(first, second, F1[0])
    assert [(change.conversation_id, change.turn) for change in changes] == [("talk00", 1), ("talk01", 3)]
    assert changes[0].gain == pytest.approx(-changes[1].gain)
    assert (changes[0].first, changes[0].second) == (0.0, 1.0)


def test_gains_add_up_to_about_the_difference():
    rules, labels = of_shipped(by_rules(), "rules"), of_shipped(by_labels(), "labels")
    for name in ("extraction.f1", "question.type", "question.engagement"):
        total = sum(change.gain for change in turn_changes(rules, labels, find_metric(name)))
        assert total == pytest.approx(labels_against_rules().row(name).gain, rel=0.2)


def test_for_what_should_be_low_going_down_is_a_gain():
    brier = find_metrics(("extraction.brier",))

    def sure(confidence: float) -> Scores:
        found = {"budget": signal("q", turn=1, confidence=confidence)}
        return score([record(analysis(found), 1, of=TALKS[0])], LABELS, TALKS, brier)

    (change,) = turn_changes(sure(0.5), sure(0.9), brier[0])
    assert change.gain == pytest.approx(0.25 - 0.01)


# What cannot be compared


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (of_answers("rr", name="other", view=View.ALL), "score both alike"),
        (of_answers("rr", name="other", metrics=METRICS[:2]), "different metrics"),
        (of_answers("--", "rr", name="other"), "no turn in common"),
    ],
    ids=["view", "metrics", "turns"],
)
def test_runs_that_cannot_be_compared_are_refused(other: Scores, message: str):
    with pytest.raises(InputError, match=message):
        compare(of_answers("rr"), other)


def test_a_row_that_was_not_compared_is_refused_by_name():
    with pytest.raises(InputError, match=r"'question\.type' was not compared; compared were: extraction\.f1"):
        compare(of_answers("rr"), of_answers("rr"), resamples=10).row("question.type")


# Several comparisons together


def test_verdicts_of_several_comparisons_are_adjusted_for_all_of_them():
    rules, labels, model = (
        of_shipped(own(), name) for own, name in ((by_rules, "r"), (by_labels, "l"), (by_model, "m"))
    )
    alone = [compare(rules, other, resamples=RESAMPLES) for other in (labels, model)]
    together = judged_together(alone)
    assert [comparison.together for comparison in (*alone, *together)] == [1, 1, 2, 2]
    for one, both in zip(alone, together, strict=True):
        for before, after in zip(one.rows, both.rows, strict=True):
            assert (before.p is None) is (after.holm is None)
            assert before.p is None or before.holm <= after.holm
    family = [row.p for own in alone for row in own.rows if row.p is not None and not row.metric.detail]
    surest = min((row for own in together for row in own.rows if not row.metric.detail and row.p is not None),
                 key=lambda row: row.p)  # fmt: skip
    assert surest.holm == pytest.approx(min(1.0, len(family) * surest.p))


def test_a_comparison_alone_is_judged_as_it_was():
    found = labels_against_rules()
    assert judged_together([found]) == (found,)
    assert judged_together([]) == ()


def test_what_moved_is_made_only_where_it_is_looked_at():
    changes = turn_changes(of_shipped(by_rules(), "r"), of_shipped(by_labels(), "l"), find_metric("extraction.f1"))
    assert list(changes[2:5]) == [changes[place] for place in (2, 3, 4)]
    assert list(changes[::-1]) == list(reversed(changes))
    assert (
        [(change.conversation_id, change.turn) for change in changes]
        == list(keys_of(changes))
        == list(keys_of(list(changes)))
    )
    assert [change.gain for change in changes] == sorted((change.gain for change in changes), reverse=True)
