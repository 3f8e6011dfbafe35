"""Judgements as values: what they are about, and whose they are."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from engine.errors import InputError
from evals.judgements import Judge, by_question, judged_by, question_of, shared_judge, turn_question
from evals.records import Failure
from tests.evals.judged_runs import MODEL, RUBRIC, judgement
from tests.evals.metrics.turns import analysis, record

ANN, BOB = Judge(model="ann", rubric=RUBRIC), Judge(model="bob", rubric=RUBRIC)


def by(*models: str) -> list:
    """One judgement by each of these models, of different questions."""
    return [judgement(of=("alpha", 1, f"Question {number}?"), model=model) for number, model in enumerate(models)]


def test_white_space_makes_no_other_question():
    assert turn_question("alpha", 1, " What\n does  it cost? ") == turn_question("alpha", 1, "What does it cost?")
    assert judgement(of=("alpha", 1, "A  b?")).about == judgement(of=("alpha", 1, "A b?")).about


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (analysis(question="What does it cost?"), "What does it cost?"),
        (analysis(question="  "), None),
        (Failure(error="E", message="m"), None),
    ],
)
def test_what_is_judged_is_the_question_that_the_seller_would_have_seen(result, text):
    found = question_of(record(result))
    assert (found and found.text) == text


@pytest.mark.parametrize("wrong", [0, 5, 2.5])
def test_a_rating_is_a_whole_number_from_1_to_4(wrong):
    with pytest.raises(ValidationError):
        judgement(wrong)


@pytest.mark.parametrize(
    ("other", "equal"),
    [
        (judgement(1, 1), True),
        (judgement(repeat=1), False),
        (judgement(model="other"), False),
        (judgement(rubric="judgement@87654321"), False),
        (judgement(of=("alpha", 3, "What does that cost you?")), False),
    ],
)
def test_what_is_paid_for_once_is_a_question_a_judge_and_a_repeat(other, equal):
    assert (judgement().key == other.key) is equal


@pytest.mark.parametrize(
    ("runs", "wanted"),
    [
        ([], None),
        ([[]], None),
        ([by("ann")], ANN),
        ([by("ann", "bob", "bob")], BOB),
        ([by("ann", "bob")], BOB),  # equal: the last to have judged
        ([by("ann", "ann", "bob"), by("bob", "bob")], BOB),  # ann never judged the second
        ([by("ann", "ann", "bob"), by("ann", "ann", "bob", "bob", "bob")], ANN),
        ([by("ann"), by("bob")], None),
        ([by("ann"), []], None),
    ],
)
def test_runs_are_compared_by_a_judge_who_judged_all_of_them(runs, wanted):
    assert shared_judge(*runs) == wanted


def test_ratings_of_different_judges_are_never_put_together():
    with pytest.raises(InputError, match=r"several judges \(ann by .* and bob by "):
        by_question(by("ann", "bob"))
    assert [own.judge for own in judged_by(ANN, by("ann", "bob", "ann"))] == [ANN, ANN]
    assert judged_by(None, by("ann")) == ()


def test_judgements_are_found_by_what_they_are_about():
    two = [judgement(4), judgement(2, repeat=1), judgement(1, of=("beta", 1, "Other?"))]
    found = by_question(two)
    assert [own.naturalness for own in found[two[0].about]] == [4, 2]
    assert two[0].judge == Judge(model=MODEL, rubric=RUBRIC)
