"""What another way of choosing would have done: by hand-worked tables, in the simulated world, where nobody knows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.errors import InputError
from evals.learning.facts.values import Coded
from evals.learning.off_policy import RefusalReason, WhatIf, estimates, policy_named, what_if
from evals.learning.off_policy.log import choice_log
from evals.learning.off_policy.overlap import inside, overlap, weights
from evals.learning.off_policy.policies import Always, Prefer, Recommended, Rule, Table, read_table, unmatched
from evals.learning.off_policy.reward import Predicted, cross_fitted, fit_logistic
from evals.learning.simulated import ACTIONS, WorldSettings, simulate
from tests.evals.learning.logged_choices import (
    Row,
    always,
    changed,
    facts_of,
    in_context,
    log_of,
    of_type,
    without,
    without_choices,
)

A, B = "impact", "solution"
HALF = {A: 0.5, B: 0.5}
# asked, its propensity, answered? In three conversations. Weights of "always impact": 2, 0, 4, 0, 1.25.
BY_HAND = (
    Row("x", A, 0.5, "positive"),
    Row("x", B, 0.5, "negative"),
    Row("y", A, 0.25, "late"),
    Row("y", B, 0.75, "positive"),
    Row("z", A, 0.8, "positive"),
)


def flat(rows: int, chance: float = 0.5) -> Predicted:
    return Predicted(np.full(rows, chance), np.full(rows, chance))


def test_the_estimates_are_those_worked_out_by_hand() -> None:
    log = log_of(BY_HAND).coarse(("question_type",))
    found = estimates(log, always(log, A), flat(5))
    assert found.inverse_propensity.value == pytest.approx((2 + 1.25) / 5)
    assert found.self_normalised.value == pytest.approx((2 + 1.25) / 7.25)
    assert found.doubly_robust.value == pytest.approx(0.5 + (2 * 0.5 - 4 * 0.5 + 1.25 * 0.5) / 5)
    assert found.logged.value == pytest.approx(3 / 5)  # a late reply is none inside the window
    assert found.difference.value == pytest.approx(0.425 - 0.6)


def test_the_interval_is_that_of_whole_conversations_worked_out_by_hand() -> None:
    log = log_of(BY_HAND).coarse(("question_type",))
    found = estimates(log, always(log, B), flat(5)).logged
    # Terms 1, 0 | 0, 1 | 1, around 0.6: by conversation -0.2, -0.2, 0.4; the error is sqrt(3/2 * 0.24) / 5 = 0.12.
    assert (found.low, found.high) == pytest.approx((0.6 - 4.302653 * 0.12, 1.0))
    assert found.n == 5


def test_overlap_is_that_worked_out_by_hand() -> None:
    log = log_of(BY_HAND).coarse(("question_type",))
    found = overlap(log, always(log, A))
    assert weights(log, always(log, A)).tolist() == [2, 0, 4, 0, 1.25]
    assert (found.outcomes, found.conversations, found.used, found.max_weight) == (5, 3, 3, 4)
    assert found.effective == pytest.approx(7.25**2 / (4 + 16 + 1.5625))
    assert found.mean_weight == pytest.approx(7.25 / 5)
    assert found.outside is None  # nobody wrote down what else could have been asked
    counted = {(each.low, each.high): each.count for each in found.weights if each.count}
    assert counted == {(0.0, 0.0): 2, (1.0, 2.0): 2, (2.0, 5.0): 1}


def test_what_could_not_have_been_asked_is_outside_and_widens_the_interval_to_the_worst_case() -> None:
    rows = [Row(str(number), A, 0.5, "positive" if number % 2 else "negative", HALF) for number in range(8)]
    rows += [Row("8", B, 1.0, "negative", {B: 1.0}), Row("9", B, 1.0, "positive", {B: 1.0})]
    log = log_of(rows).coarse(("question_type",))
    shares = always(log, A)
    assert overlap(log, shares).outside == pytest.approx(0.2)
    assert inside(log, shares).tolist() == [1.0] * 8 + [0.0] * 2
    narrow, wide = estimates(log, shares, flat(10, 0.25)), estimates(log, shares, flat(10, 0.75))
    for found, guessed in ((narrow, 0.25), (wide, 0.75)):
        assert found.doubly_robust.low is not None
        known = found.doubly_robust.value - 0.2 * guessed  # what is not the model's guess at those two turns
        assert found.doubly_robust.low <= max(known, 0.0)
        assert found.doubly_robust.high >= min(known + 0.2, 1.0)


def test_outcomes_that_say_nothing_are_left_out_and_counted() -> None:
    rows = (
        Row("a", A, 0.5, "positive", HALF),
        Row("a", A, 0.5, "pending", HALF),
        Row("a", A, 0.5, "superseded", HALF),
        Row("a", A, 0.5, "not_sent", HALF),
        Row("b", B, 0.5, "positive", HALF, early=True),
        Row("b", B, None, "negative"),
        Row("b", B, 0.5, "negative"),  # nobody wrote down what else could have been asked
        Row("c", B, 0.4, "negative", HALF),  # which says 0.5
        Row("c", "confirmation", 0.5, "late", HALF),  # which does not list it
        Row("c", B, 0.5, "late", HALF),
    )
    log = log_of(rows)
    assert log.reply.tolist() == [1.0, 0.0]
    left = log.left_out
    assert (left.pending, left.superseded, left.not_sent, left.early) == (1, 1, 1, 1)
    assert (left.no_propensity, left.unlike) == (2, 2)


def test_actions_told_apart_by_fewer_parts_have_the_sum_of_their_probabilities() -> None:
    world = simulate(5, 60)
    log = choice_log(world.facts)
    coarse = log.coarse(("question_type",))
    assert log.parts == ("question_type", "delivery")
    rows = np.flatnonzero(world.facts.resolved)
    probabilities = world.truth.propensities[rows].reshape(len(rows), 4, 4).sum(axis=2)
    assert coarse.propensity == pytest.approx(
        probabilities[np.arange(len(rows)), world.truth.action[rows] // 4], abs=1e-6
    )


ACTION = (A, "need", "label")
FEW = [Row(str(number), A, 0.5, "positive", HALF) for number in range(4)]


@pytest.mark.parametrize(
    ("policy", "shares"),
    [
        (Always({"question_type": A}), [(0, A, 1.0), (1, A, 1.0), (2, A, 1.0)]),
        (Always({"question_type": "confirmation"}), [(0, None, 1.0), (1, None, 1.0), (2, None, 1.0)]),
        (Prefer({"question_type": A}), [(0, A, 1.0), (1, A, 1.0), (2, B, 1.0)]),
        (
            Table("t", (Rule({"engagement": "resistant"}, {"question_type": B}),)),
            [(0, A, 0.5), (0, B, 0.5), (1, B, 1.0), (2, B, 1.0)],
        ),
        (
            Table("t", (Rule({"engagement": "resistant"}, {"question_type": B}), Rule({}, {"question_type": A}))),
            [(0, A, 1.0), (1, B, 1.0), (2, A, 1.0)],
        ),
        (
            Recommended("r", {("x", 0): ACTION, ("y", 2): ("confirmation", "pain", "label")}, ("question_type",)),
            [(0, A, 1.0), (2, None, 1.0)],
        ),
    ],
)  # fmt: skip
def test_a_policy_says_what_it_would_have_asked_how_probably(policy, shares) -> None:
    rows = (
        Row("x", A, 0.5, "positive", HALF),
        Row("y", A, 0.5, "positive", HALF, engagement="resistant"),
        Row("y", B, 1.0, "negative", {B: 1.0}),
    )
    log = log_of(rows).coarse(policy.parts)
    found = policy.shares(log)
    named = [None if code < 0 else log.actions[code][0] for code in found.action.tolist()]
    assert sorted(zip(found.row.tolist(), named, found.share.tolist(), strict=True), key=str) == sorted(shares, key=str)


def test_turns_of_which_a_policy_says_nothing_are_left_out_and_counted() -> None:
    log = log_of([replace_conversation(row, name) for row, name in zip(FEW, "wxyz", strict=True)])
    policy = Recommended("r", {("x", 1): (B, "need", "label"), ("z", 3): (A, "need", "label")}, ("question_type",))
    kept, shares = unmatched(log.coarse(policy.parts), policy.shares(log.coarse(policy.parts)))
    assert kept.conversation.words() == ["x", "z"]
    assert kept.left_out.unmatched == 2
    assert shares.row.tolist() == [0, 1]


def replace_conversation(row: Row, name: str) -> Row:
    return row._replace(conversation=name)


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("always:impact", Always({"question_type": "impact"})),
        ("always:label+impact", Always({"delivery": "label", "question_type": "impact"})),
        ("prefer:champion", Prefer({"target": "champion"})),
    ],
)
def test_policies_are_named_by_words(text: str, policy: object) -> None:
    assert policy_named(text) == policy


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("impact", "is no policy; write always:WORDS"),
        ("always:", "is no policy"),
        ("sometimes:impact", "is no policy"),
        ("always:impacts", "'impacts' is none of the words for an action"),
        ("always:impact+solution", "names two of the same kind, impact and solution"),
        ("table:/nowhere.csv", "nowhere.csv cannot be read"),
    ],
)
def test_a_policy_that_cannot_be_understood_says_what_can(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        policy_named(text)


def test_a_table_is_read_from_a_csv_file(tmp_path) -> None:
    path = tmp_path / "choices.csv"
    path.write_text("engagement,persona,question_type\nresistant,,confirmation\n,c_suite,impact\n", encoding="utf-8")
    table = read_table(path)
    assert table.parts == ("question_type",)
    assert table.rules == (
        Rule({"engagement": "resistant"}, {"question_type": "confirmation"}),
        Rule({"persona": "c_suite"}, {"question_type": "impact"}),
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("engagement,question_type\n", "has no lines after its first"),
        ("engagement,kind\nresistant,impact\n", "line 1: 'kind' is no column"),
        ("engagement,question_type\nresistant,impacts\n", "line 2: 'impacts' is no question type"),
        ("engagement,question_type\nresistant,\n", "line 2: it says nothing to ask"),
        ("engagement,question_type\nsleepy,impact\n", "line 2: 'sleepy' is no engagement"),
        ("question_type,delivery\nimpact,\nimpact,label\n", "the same parts"),
    ],
)
def test_a_table_that_cannot_be_used_says_where(tmp_path, content: str, says: str) -> None:
    path = tmp_path / "choices.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=says):
        read_table(path)


def test_the_model_finds_the_odds_of_a_table() -> None:
    """Two groups answered 30 of 40 and 10 of 40: with next to no ridge, the odds are 3 and 1/3."""
    present = np.stack([np.zeros(80, np.int64), np.repeat([1, 2], 40)], axis=1)
    reply = np.concatenate([np.ones(30), np.zeros(10), np.ones(10), np.zeros(30)])
    constant, slope = fit_logistic(present, 2, reply, ridge=1e-9)
    assert constant == pytest.approx(np.log(1 / 3), abs=1e-4)
    assert slope == pytest.approx(np.log(9), abs=1e-4)


def test_no_answer_is_predicted_by_a_model_that_saw_its_conversation() -> None:
    """A conversation's replies may be turned round without changing what is predicted for it."""
    world = simulate(2, 80)
    log = choice_log(world.facts).coarse(("question_type",))
    shares = Always({"question_type": A}).shares(log)
    mine = log.conversation.codes == log.conversation.codes[10]
    turned = replace_reply(log, np.where(mine, 1 - log.reply, log.reply))
    first, second = cross_fitted(log, shares), cross_fitted(turned, shares)
    assert first.logged[mine].tolist() == second.logged[mine].tolist()
    assert first.wanted[mine].tolist() == second.wanted[mine].tolist()
    assert not np.array_equal(first.logged, second.logged)


def replace_reply(log, reply):
    return replace(log, reply=reply)


# Always impact, over 200,000 situations of the same world.
TRUE_IMPACT = 0.4877


@pytest.mark.parametrize("seed", range(3))
def test_the_simulated_truth_is_estimated_and_a_right_log_is_never_refused(seed: int) -> None:
    found = what_if(simulate(seed, 500).facts, policy_named("always:impact"))
    assert found.simulated
    assert found.estimates is not None
    for estimate in (
        found.estimates.doubly_robust, found.estimates.self_normalised, found.estimates.inverse_propensity,
    ):  # fmt: skip
        assert estimate.value is not None
        assert abs(estimate.value - TRUE_IMPACT) < 0.1


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """A small version of `python -m tests.benchmarks off_policy`: of 40 intervals of 95 %, at least 34 hold it."""
    held = 0
    for seed in range(100, 140):
        found = what_if(simulate(seed, 200).facts, policy_named("always:impact"))
        assert found.estimates is not None
        own = found.estimates.doubly_robust
        assert own.low is not None
        assert own.high is not None
        held += own.low <= TRUE_IMPACT <= own.high
    assert held >= 34


def asked(facts, policy: str = "always:impact") -> WhatIf:
    return what_if(facts, policy_named(policy))


WORLD, LARGER = simulate(11, 400), simulate(12, 900)
ALL = np.ones(len(WORLD.facts), np.bool_)
IMPACT = of_type("impact")
SOME = in_context(WORLD, "engagement", "factual", "resistant")
REASONS = {
    "no propensities": (
        changed(WORLD.facts, propensity=np.full(len(WORLD.facts), np.nan)), "always:impact", "no_propensities",
    ),
    "nothing left to chance": (
        changed(
            without_choices(WORLD.facts), propensity=np.ones(len(WORLD.facts)),
        ), "always:impact", "deterministic",
    ),
    "too few outcomes": (WORLD.facts.where(np.arange(40)), "always:impact", "too_few"),
    "no outcomes": (WORLD.facts.where(np.arange(0)), "always:impact", "too_few"),
    "never asked": (without(WORLD, ALL[:, None] & IMPACT), "always:impact", "outside"),
    "not asked in some places": (without(WORLD, SOME[:, None] & IMPACT), "always:impact", "outside"),
    "not asked in some places, unwritten": (
        without_choices(without(LARGER, in_context(LARGER, "engagement", "resistant")[:, None] & IMPACT)),
        "always:impact+label", "unsure_support",
    ),
    "never asked, unwritten": (
        without_choices(without(WORLD, ALL[:, None] & IMPACT)), "always:impact+label", "outside",
    ),
    "not chosen at random": (WORLD.facts, "always:champion", "not_told_apart"),
    "propensities of something finer": (without_choices(WORLD.facts), "always:impact", "contradiction"),
    "asked too rarely": (simulate(11, 60).facts, "always:impact+accusation_audit", "thin"),
}  # fmt: skip


@pytest.mark.parametrize("name", REASONS)
def test_a_log_that_cannot_tell_is_refused_with_the_reason_in_words(name: str) -> None:
    facts, policy, reason = REASONS[name]
    found = asked(facts, policy)
    assert found.estimates is None
    assert found.refusal is not None
    assert found.refusal.reason is RefusalReason(reason)
    assert len(found.refusal.why) > 40
    assert found.refusal.remedy.endswith(".")


def test_probabilities_that_do_not_go_with_what_was_asked_are_found_out() -> None:
    facts = changed(without_choices(WORLD.facts), propensity=np.full(len(WORLD.facts), 0.9))
    found = asked(facts, "always:impact+label")
    assert found.refusal is not None
    swapped = changed(WORLD.facts, question_type=Coded(WORLD.facts.words("question_type").codes[::-1], TYPE_LABELS))
    other = asked(swapped)
    assert other.left_out.unlike > len(WORLD.facts) / 4


TYPE_LABELS = WORLD.facts.words("question_type").labels


def test_where_it_could_have_been_asked_is_a_question_that_the_log_can_answer() -> None:
    facts = without(WORLD, SOME[:, None] & IMPACT)
    found = asked(facts, "prefer:impact")
    assert found.estimates is not None
    assert found.overlap is not None
    assert found.overlap.outside == pytest.approx(0.0)
    assert found.overlap.mean_weight == pytest.approx(1.0, abs=0.15)


def test_to_prefer_needs_to_know_what_else_there_was() -> None:
    with pytest.raises(InputError, match="what else could have been asked"):
        asked(without_choices(WORLD.facts), "prefer:impact+label")


def test_a_log_that_only_says_how_probable_was_what_was_asked_answers_once_the_weights_show_it() -> None:
    many = simulate(4, 6_000, WorldSettings(greed=0.2)).facts
    found = asked(without_choices(many), "always:impact+label")
    assert found.refusal is None
    assert found.overlap is not None
    assert found.overlap.outside is None


def test_the_same_outcomes_give_the_same_bits() -> None:
    assert asked(WORLD.facts) == asked(WORLD.facts)
    assert len(ACTIONS) == 16


def test_no_reply_at_all_gets_no_interval_that_claims_certainty() -> None:
    silent = facts_of([Row(str(number // 3), (A, B)[number % 2], 0.5, "negative", HALF) for number in range(300)])
    found = asked(silent)
    assert found.estimates is not None
    assert found.estimates.logged.value == 0.0
    assert found.estimates.logged.low is None
    assert found.estimates.inverse_propensity.low is None
