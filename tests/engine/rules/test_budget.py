"""Budget: what is there, what is not, what no longer is, and the many amounts that are none."""

from __future__ import annotations

import pytest

from engine.advance import advance
from engine.guardrails import guard
from engine.model.qualification import Dimension, Signal
from engine.model.state import ConversationState
from engine.rules import analyze_by_rules
from tests.engine.rules.saying import signal_of
from tests.engine.values import customer, state

ASKED = "Is there a number set aside for this?"


def budget(text: str, asked: str | None = None, before: ConversationState | None = None) -> Signal:
    signal = signal_of(Dimension.BUDGET, text, asked=asked, before=before)
    assert isinstance(signal, Signal)
    return signal


@pytest.mark.parametrize(
    ("said", "asked", "value", "low", "high"),
    [
        ("I have $145,000 in the FY26 budget.", None, "$145,000", 0.8, 0.9),
        ("We've set aside EUR 50-60k for this.", None, "EUR 50-60k", 0.8, 0.9),
        ("Our budget is 40k.", None, "40k", 0.65, 0.9),
        ("There's a budget of 1.2 million, approved.", None, "1.2 million", 0.8, 0.9),
        ("I can sign up to $25,000 out of operating.", None, "up to $25,000", 0.5, 0.7),
        ("Stay under 100k.", None, "up to 100k", 0.5, 0.7),
        ("Maybe we have 30k in the budget.", None, "30k", 0.5, 0.75),
        ("80k", ASKED, "80k", 0.5, 0.8),
        ("I'd have said seventy-five, for the year.", ASKED, None, 0.3, 0.55),
        ("We're not short of budget.", None, None, 0.3, 0.6),
        ("the budget what we have is 20.000 euro", None, "20.000 euro", 0.65, 0.9),
    ],
)
def test_money_for_this_is_a_budget(said: str, asked: str | None, value: str | None, low: float, high: float) -> None:
    found = budget(said, asked)
    assert found.identified
    assert value is None or found.value == value
    assert low <= found.confidence <= high
    assert [item.quote for item in found.evidence] == [said]


@pytest.mark.parametrize(
    "said",
    [
        "There's no budget line for integration this year.",
        "We don't have a budget.",
        "It is unbudgeted.",
        "We can't afford that.",
        "No money for this, sorry.",
        "Funding isn't approved.",
        "If we had 50k, which we don't, I would not spend it on connectors.",
    ],
)
def test_no_budget_is_known_as_none(said: str) -> None:
    found = budget(said)
    assert (found.value or "").startswith("none:")
    assert 0.5 <= found.confidence <= 0.8


@pytest.mark.parametrize(
    "said",
    [
        "If we had 50k I'd buy it.",
        "Suppose we had a budget of 100k.",
        "It cost us 61k in surcharges.",
        "We lost 388k on that load.",
        "Your price is 48k.",
        "You quoted 120k.",
        "71% within 14 days, 240 people, 9 sites.",
        "Call me on 020 7946 0018.",
        "In 2024 it was 1900 machines.",
        "We paid the last vendor 600k.",
        "The salary is 84k.",
        "It should not be read as a budget.",
        "Budget, I have never seen one.",
        "What is the budget?",
        "Is 50k enough?",
        "Liability is capped at 400k.",
        "12k units went out.",
        "We have 14 pack stations.",
        "",
    ],
)
def test_other_amounts_are_no_budget(said: str) -> None:
    assert not budget(said).identified


@pytest.mark.parametrize(
    "said",
    [
        "The budget is gone.",
        "The money was reallocated to the imaging centre.",
        "So I don't have that money anymore.",
        "They've pulled back the 145k.",
        "There's a spending freeze.",
        "Investments are blocked this year.",
    ],
)
def test_a_budget_taken_back_has_the_last_word(said: str) -> None:
    before = _told("I have $145,000 in the FY26 budget, approved.")
    known = before.qualification.bant.budget
    found = budget(said, before=before)
    assert (found.value or "").startswith("withdrawn:")
    assert found.confidence > known.confidence
    after = _told(said, before).qualification.bant.budget
    assert (after.value or "").startswith("withdrawn:")
    assert [item.quote for item in after.evidence][-1] == said


def test_a_budget_that_is_cut_is_what_is_left_of_it() -> None:
    before = _told("I have $145,000 in the FY26 budget, approved.")
    after = _told("The budget got slashed last week, so we're down to 40k.", before)
    assert after.qualification.bant.budget.value == "cut to 40k"


def test_a_budget_stated_and_taken_back_in_one_message() -> None:
    found = budget("We had a budget of 50k. That is gone.")
    assert (found.value or "").startswith("withdrawn:")


def test_a_new_budget_follows_a_withdrawal_only_when_it_is_stated_clearly() -> None:
    gone = _told("The budget is gone.", _told("Our budget is 50k."))
    hinted = _told("I could sign 5k perhaps.", gone)
    assert (hinted.qualification.bant.budget.value or "").startswith("withdrawn:")
    stated = _told("We have 30k in the new budget, approved.", gone)
    assert stated.qualification.bant.budget.value == "30k"


def _told(said: str, before: ConversationState | None = None) -> ConversationState:
    before = before or state()
    turn = customer(said, index=before.interaction_count)
    return advance(before, turn, guard(before, turn, (), analyze_by_rules(before, turn, ())))
