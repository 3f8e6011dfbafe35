"""What a judge's ratings are worth: kappa by hand, with its interval, and what a gate may rest on."""

from __future__ import annotations

import pytest

from engine.errors import InputError
from evals.judge_agreement import agreement, agreements, usable_in_gate, worth
from evals.judgements import Scale, turn_question
from evals.metrics import METRICS, find_metric
from tests.evals.judged_runs import judgement, rating

NATURAL = Scale.NATURALNESS


def at(number: int) -> tuple[str, int, str]:
    """A question of a conversation of its own."""
    return (f"talk{number}", 1, "What does that cost you?")


def pairs(*ratings: tuple[int, int]):
    return {turn_question(*at(number)): [pair] for number, pair in enumerate(ratings)}


# Worked by hand: 1 - sum(d^2) n / sum over both shares of d^2.
KAPPAS = {
    "full agreement": ([(1, 1), (2, 2), (4, 4)], 1.0),
    "none beyond chance": ([(1, 1), (1, 2), (2, 1), (2, 2)], 0.0),  # 2 / 4 observed, 2 / 4 expected
    "the reverse": ([(1, 4), (4, 1)], -1.0),  # 18 / 2 observed, 9 / 2 expected
    # observed 1 + 0 + 1 + 0 = 2; each of 1, 2, 3, 4 against each of 2, 2, 4, 4: 20 + 8 + 4 + 8 = 40, over 4
    "off by one twice": ([(1, 2), (2, 2), (3, 4), (4, 4)], 1 - 2 * 4 / 40),
    "all one and the same": ([(3, 3), (3, 3)], None),
    "nothing": ([], None),
}


@pytest.mark.parametrize(("rated", "wanted"), KAPPAS.values(), ids=KAPPAS)
def test_agreement_is_quadratic_weighted_kappa(rated, wanted):
    found = agreement(pairs(*rated))
    assert found.value == (None if wanted is None else pytest.approx(wanted))
    assert found.n == len(rated)


def test_every_question_weighs_the_same_however_often_it_was_rated():
    once = pairs((1, 2), (2, 2), (3, 4), (4, 4))
    often = {question: own * (1 + number) for number, (question, own) in enumerate(once.items())}
    assert agreement(often).value == pytest.approx(agreement(once).value)


def test_the_interval_is_that_of_conversations_and_one_alone_has_none():
    apart = pairs(*[(1, 2), (2, 2), (3, 4), (4, 4)] * 5)
    together = {turn_question("one", number, "Why?"): own for number, own in enumerate(apart.values())}
    found = agreement(apart)
    assert found.low < found.value < found.high
    assert (agreement(together).value, agreement(together).low) == (pytest.approx(found.value), None)
    assert agreement(apart) == found


def test_judge_and_people_are_compared_on_the_questions_that_both_rated():
    judged = [judgement(rated, of=at(number)) for number, rated in enumerate((1, 2, 3, 4, 4))]
    people = [rating(rated, of=at(number)) for number, rated in enumerate((2, 2, 4, 4))] + [rating(1, of=at(9))]
    found = agreements(judged, people)[NATURAL]
    assert (found.people.value, found.people.n, found.conversations) == (pytest.approx(1 - 2 * 4 / 40), 4, 4)
    assert found.repeats.value is None
    assert found.among_people.value is None


def test_repeats_and_people_are_compared_among_themselves():
    judged = [judgement(rated, of=at(number), repeat=k) for number, rated in enumerate((1, 4)) for k in (0, 1)]
    people = [rating(1, of=at(0)), rating(4, of=at(0), rater="kavi"), rating(2, of=at(1))]
    found = agreements(judged, people)[NATURAL]
    assert (found.repeats.value, found.repeats.n) == (pytest.approx(1.0), 2)
    assert (found.among_people.value, found.among_people.n) == (pytest.approx(-1.0), 1)
    assert found.people.n == 2


def test_scales_are_judged_apart():
    judged = [judgement(rated, 5 - rated, of=at(n)) for n, rated in enumerate((1, 2, 3, 4))]
    people = [rating(rated, rated, of=at(n)) for n, rated in enumerate((1, 2, 3, 4))]
    found = agreements(judged, people)
    assert found[Scale.NATURALNESS].people.value == pytest.approx(1.0)
    assert found[Scale.VALUE_FIRST].people.value == pytest.approx(-1.0)


def test_what_a_person_did_not_rate_on_a_scale_is_not_compared_there():
    found = agreements([judgement(of=at(0))], [rating(3, None, of=at(0))])
    assert (found[Scale.NATURALNESS].people.n, found[Scale.VALUE_FIRST].people.n) == (1, 0)
    assert found[Scale.VALUE_FIRST].conversations == 0


def test_several_judges_have_no_common_worth():
    with pytest.raises(InputError, match="several judges"):
        agreements([judgement(), judgement(model="other")], [])


def worth_of(conversations: int, *, ratings: tuple[int, ...] = (1, 2, 3, 4)):
    """A judge and people who rated a question in each of so many conversations, and agree wholly."""
    rated = [ratings[number % len(ratings)] for number in range(conversations)]
    judged = [judgement(own, own, of=at(number)) for number, own in enumerate(rated)]
    return agreements(judged, [rating(own, None, of=at(number)) for number, own in enumerate(rated)])


@pytest.mark.parametrize(
    ("metric", "known", "usable"),
    [
        ("extraction.f1", None, True),  # nobody's opinion
        ("operations.cost", worth_of(0), True),
        ("judged.naturalness", None, False),  # never judged
        ("judged.naturalness", worth_of(0), False),  # nobody rated
        ("judged.naturalness", worth_of(5), False),  # in too few conversations
        ("judged.naturalness", worth_of(6), True),
        ("judged.naturalness_good", worth_of(6), True),
        ("judged.naturalness", worth_of(6, ratings=(3,)), False),  # always the same rating says nothing
        ("judged.value_first", worth_of(6), False),  # rated on the other scale only
        ("judged.value_first_good", worth_of(6), False),
    ],
)
def test_a_gate_may_rest_on_a_judged_metric_only_if_its_agreement_is_known(metric, known, usable):
    assert usable_in_gate(find_metric(metric), known) is usable


def test_every_judged_metric_and_no_other_needs_a_known_agreement():
    assert {metric.name for metric in METRICS if not usable_in_gate(metric, None)} == {
        metric.name for metric in METRICS if metric.name.startswith("judged.")
    }


def test_it_is_said_in_words_what_figures_are_worth():
    assert worth(worth_of(8)).startswith("naturalness: agreement with people 1.00")
    assert worth(worth_of(8)).endswith("value first: agreement with people unknown")
