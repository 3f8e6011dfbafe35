"""People noticed, worked by hand."""

from __future__ import annotations

import pytest

from engine.model.qbs import ExpansionTrigger
from evals.metrics import find_metric
from evals.metrics.expansion import matched
from tests.evals.metrics.turns import analysis, judged, value_of
from tests.evals.values import conversation


def people(*mentions: str) -> dict[str, object]:
    return {"people": [{"mention": mention, "quote": mention} for mention in mentions]}


@pytest.mark.parametrize(
    ("reported", "labelled", "pairs"),
    [
        (["the CFO"], ["our Chief Financial Officer"], 1),
        (["Ines"], ["Ines Faro (CFO)"], 1),
        (["Ines", "Ines"], ["Ines Faro"], 1),
        (["Ines Faro"], ["Ines Berg"], 0),
        (["the QA team", "Walt"], ["Walt Brzezicki", "QA"], 2),
        ([], ["Walt"], 0),
    ],
)
def test_mentions_of_one_person_match_once(reported: list[str], labelled: list[str], pairs: int):
    assert matched(reported, labelled) == pairs


def test_precision_recall_and_f1_of_a_worked_example():
    turns = [
        judged(analysis(people=["the CFO", "Walt"]), people("our CFO", "the QA team", "Ines")),
        judged(analysis(people=[]), people()),
        judged(analysis(people=["Walt"]), people("Walt Brzezicki")),
    ]
    assert value_of(find_metric("expansion.precision"), *turns) == pytest.approx(2 / 3)
    assert value_of(find_metric("expansion.recall"), *turns) == pytest.approx(2 / 4)
    assert value_of(find_metric("expansion.f1"), *turns) == pytest.approx(4 / 7)


@pytest.mark.parametrize("name", ["precision", "recall", "f1"])
def test_nobody_mentioned_and_nobody_reported_is_no_data(name: str):
    assert value_of(find_metric(f"expansion.{name}"), judged(analysis(), people())) is None


@pytest.mark.parametrize(
    ("urgency", "interaction", "wanted"),
    [("immediate", 2, 1.0), ("immediate", 3, 0.0), ("next_conversation", 0, 0.0)],
)
def test_immediate_is_too_soon_before_the_third_interaction(urgency: str, interaction: int, wanted: float):
    trigger = ExpansionTrigger(mentioned_name_or_role="Walt", urgency=urgency)
    turn = judged(analysis(people=[trigger]), interaction=interaction)
    assert value_of(find_metric("expansion.wrong_urgency"), turn) == wanted


@pytest.mark.parametrize(
    ("who", "wanted"),
    [("Ada Byron", 1.0), ("our plant controller", 1.0), ("Walt", 0.0)],
    ids=["contact", "known", "new"],
)
def test_who_is_known_is_not_reported_again(who: str, wanted: float):
    talk = conversation(known_contacts=["the plant controller"])
    turn = judged(analysis(people=[who]), of=talk)
    assert value_of(find_metric("expansion.known_again"), turn) == wanted


@pytest.mark.parametrize("name", ["wrong_urgency", "known_again"])
def test_what_must_be_0_allows_no_difference_and_needs_no_label(name: str):
    metric = find_metric(f"expansion.{name}")
    assert metric.is_limit
    assert metric.margin.around(0.0) == 0.0
    assert value_of(metric, judged(analysis(people=["Walt"]))) == 0.0
    assert value_of(metric, judged(analysis())) is None
