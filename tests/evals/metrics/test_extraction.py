"""Extraction metrics: dimensions, values and quotes, worked by hand."""

from __future__ import annotations

import pytest

from engine.model.qualification import Evidence, ListSignal, Signal
from evals.metrics import find_metric
from evals.metrics.metric import Metric
from tests.evals.metrics.turns import analysis, judged, said, signal, value_of

TWO_RIGHT_ONE_MISSED_ONE_MADE_UP = judged(
    analysis({"budget": signal("40k"), "pain": signal("hurts"), "champion": signal("me")}),
    {"dimensions": [said("budget"), said("pain"), said("need")]},
)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("extraction.precision", 2 / 3),
        ("extraction.recall", 2 / 3),
        ("extraction.f1", 2 / 3),
        ("extraction.macro_f1", (1 + 1 + 0 + 0) / 4),
        ("extraction.budget.f1", 1.0),
        ("extraction.need.recall", 0.0),
        ("extraction.need.precision", None),
        ("extraction.champion.precision", 0.0),
        ("extraction.timeline.f1", None),
    ],
)
def test_dimensions_found_missed_and_made_up(name: str, wanted: float | None):
    assert value_of(find_metric(name), TWO_RIGHT_ONE_MISSED_ONE_MADE_UP) == pytest.approx(wanted)


def test_what_an_extraction_quotes_from_an_earlier_turn_is_no_claim_about_this_one():
    turn = judged(analysis({"budget": signal("40k", turn=1)}), {"dimensions": []}, turn=3)
    assert value_of(find_metric("extraction.precision"), turn) is None


def test_turns_add_up():
    right = judged(analysis({"budget": signal("40k")}), {"dimensions": [said("budget")]})
    wrong = judged(analysis({"budget": signal("40k")}), {"dimensions": []})
    assert value_of(find_metric("extraction.precision"), right, right, wrong) == pytest.approx(2 / 3)


@pytest.mark.parametrize("name", ["extraction.f1", "extraction.value_agreement", "extraction.brier"])
def test_without_a_label_there_is_no_data(name: str):
    assert value_of(find_metric(name), judged(analysis({"budget": signal("40k")}))) is None


VALUES = {
    "the same": (("40k",), "EUR 40,000", 1 / 1),
    "half of it": (("40k in May",), "40k", 1 / 2),
    "more than was labelled": (("40k",), "withdrawn, was 40k before the board met", 1.0),
    "two labels, one held": (("40k", "frozen"), "40k", 1 / 2),
    "nothing of it": (("frozen",), "40k", 0.0),
}


@pytest.mark.parametrize(("labelled", "claimed", "wanted"), VALUES.values(), ids=VALUES)
def test_agreement_is_what_the_claimed_value_holds_of_the_labelled_one(
    labelled: tuple[str, ...], claimed: str, wanted: float
):
    turn = judged(
        analysis({"budget": signal("q", value=claimed)}), {"dimensions": [said("budget", value) for value in labelled]}
    )
    assert value_of(find_metric("extraction.value_agreement"), turn) == pytest.approx(wanted)


def test_numbers_are_compared_apart():
    turn = judged(
        analysis({"metrics": signal("q", value="31 days, was 40")}),
        {"dimensions": [said("metrics", "31 days cycle time, target 22")]},
    )
    assert value_of(find_metric("extraction.numbers"), turn) == pytest.approx(1 / 2)


def test_only_dimensions_rightly_claimed_have_values_to_compare():
    turn = judged(analysis({"budget": signal("q")}), {"dimensions": [said("pain", "it hurts")]})
    assert value_of(find_metric("extraction.value_agreement"), turn) is None


QUOTES = {
    "the customer's words": (signal("two hours a day"), 1.0),
    "in other case": (signal("Two  HOURS a day"), 1.0),
    "the seller's words": (signal("How is it going", turn=0), 0.0),
    "made up": (signal("three hours a day"), 0.0),
    "of a later turn": (signal("The budget is 40k", turn=3), 0.0),
    "no quote at all": (Signal(value="v", confidence=0.5), 0.0),
    "one of two": (
        ListSignal(
            values=("v",), evidence=(Evidence(quote="two hours", turn=1), Evidence(quote="three hours", turn=1))
        ),
        1 / 2,
    ),
}


@pytest.mark.parametrize(("found", "wanted"), QUOTES.values(), ids=QUOTES)
def test_evidence_is_verbatim_if_one_customer_turn_so_far_says_it(found: Signal | ListSignal, wanted: float):
    name = "decision_criteria" if isinstance(found, ListSignal) else "budget"
    assert value_of(find_metric("extraction.verbatim"), judged(analysis({name: found}))) == pytest.approx(wanted)


def test_evidence_is_judged_as_proposed_though_the_guardrail_took_it_out():
    proposed = analysis({"budget": signal("made up")})
    used = analysis({"budget": Signal(value="v", confidence=0.4, grounded=False)})
    guarded = used.model_copy(update={"raw_found": proposed.extraction.found})
    verbatim: Metric = find_metric("extraction.verbatim")
    assert verbatim.of == "proposed"
    assert value_of(verbatim, judged(guarded), judged(analysis({"budget": signal("two hours")}))) == pytest.approx(0.5)
