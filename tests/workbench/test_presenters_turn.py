"""What one message led to: question, board, changes, people, ladder, sources, corrections, label."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from engine.model.analysis import FallbackReason, Source
from engine.model.qualification import AnySignal, Dimension, Evidence, ListSignal, Signal, qualification_from
from engine.model.state import ConversationState
from tests.workbench.prepared import conversation, label, side
from workbench.presenters import board, labels, ladder, people, provenance, question
from workbench.presenters.backing import NO_QUOTE
from workbench.presenters.board import Mark
from workbench.presenters.changes import Change, changes_between
from workbench.presenters.figures import UNKNOWN, spent
from workbench.presenters.sides import Side
from workbench.presenters.words import NO_ANSWER

RULES, RECORDED = side("rules"), side("recorded")
EMPTY = Side.of("empty", "empty-run", ())


def test_the_question_is_the_one_that_guardrails_left() -> None:
    found = question.asked(RECORDED, 3)
    assert found is not None
    assert found.question == "It sounds like this follows you home. What would a quiet month change?"
    assert (found.question_type.name, found.target.name, found.delivery.name) == ("Impact", "Pain", "Label")
    assert (found.engagement.name, found.depth.name, found.confidence) == ("Emotional", "Emotional", 0.62)


@pytest.mark.parametrize(
    ("turn", "rules"), [(1, ["No quote found"]), (3, ["One question"]), (5, ["Back off"])]
)  # fmt: skip
def test_what_guardrails_changed_is_listed(turn: int, rules: list[str]) -> None:
    assert [item.rule.name for item in question.corrections(RECORDED, turn)] == rules


def test_a_correction_names_question_types_in_words() -> None:
    (item,) = question.corrections(RECORDED, 5)
    assert item.before == "Pain funnel: What is behind that?"
    assert item.after.startswith("Confirmation: ")


@pytest.mark.parametrize("asked", [question.asked, people.people, Side.analysis, Side.before, Side.after, Side.failure])
def test_a_run_that_has_not_come_to_a_turn_has_nothing_to_say(asked: Callable[[Side, int], object]) -> None:
    assert asked(EMPTY, 1) is None


@pytest.mark.parametrize("listed", [question.corrections, provenance.origins, provenance.provenance])
def test_a_run_that_has_not_come_to_a_turn_has_nothing_to_list(listed: Callable[[Side, int], object]) -> None:
    assert listed(EMPTY, 1) == ()


SURE = Signal(value="v", confidence=0.6, evidence=(Evidence(quote="q", turn=1),))


@pytest.mark.parametrize(
    ("before", "after", "mark"),
    [
        (Signal(), Signal(), Mark.SAME),
        (Signal(), SURE, Mark.NEW),
        (SURE, SURE, Mark.SAME),
        (SURE, SURE.model_copy(update={"value": "w"}), Mark.CHANGED),
        (SURE, SURE.model_copy(update={"confidence": 0.7}), Mark.SURER),
        (SURE, SURE.model_copy(update={"evidence": (*SURE.evidence, Evidence(quote="r", turn=3))}), Mark.MORE_EVIDENCE),
    ],
)
def test_a_dimension_is_marked_by_what_happened_to_it(before: Signal, after: Signal, mark: Mark) -> None:
    states = [qualification_from({Dimension.BUDGET: signal}) for signal in (before, after)]
    assert board.mark(states[0], states[1], Dimension.BUDGET) is mark


def test_the_board_has_all_ten_dimensions_for_each_side() -> None:
    rows = board.board((RULES, RECORDED, EMPTY), 1)
    assert [row.dimension for row in rows] == list(Dimension)
    budget = rows[0].cells
    assert budget[0] is not None
    assert budget[0].value is None
    assert budget[1] is not None
    assert (budget[1].value, budget[1].doubt, budget[1].confidence) == ("approved", NO_QUOTE, 0.4)
    assert budget[1].quote is None
    assert budget[2] is None
    assert [board.known_of(rows, place) for place in range(3)] == [
        "knows 2 of 10",
        "knows 2 of 10, 1 more not to be trusted",
        NO_ANSWER,
    ]


def test_changes_are_those_since_the_turn_before() -> None:
    before, after = RECORDED.before(3), RECORDED.after(3)
    assert before is not None
    assert after is not None
    found = changes_between(before, after)
    assert Change("changed", "Deal stage", "Prospecting", "Discovery") in found.changes
    assert Change("added", "Metrics", None, "€40,000 for one wrong order (70 %)") in found.changes
    assert Change("raised", "Pain, quotes", "1", "2") in found.changes
    assert Change("raised", "Pain depth", "Surface", "Emotional") in found.changes
    assert Change("added", "Person", None, "Tom Reyes (next conversation)") in found.changes
    assert found.unchanged == ("Budget", "Need")


def knowing(dimension: Dimension, signal: AnySignal) -> ConversationState:
    state = RULES.records[1].before
    return state.model_copy(update={"qualification": qualification_from({dimension: signal})})


@pytest.mark.parametrize(
    ("dimension", "before", "after", "change"),
    [
        (Dimension.BUDGET, Signal(value="10k", confidence=0.5), Signal(value="none", confidence=0.9),
         Change("changed", "Budget", "10k", "none (90 %)")),
        (Dimension.BUDGET, Signal(), Signal(value="none", confidence=0.4, grounded=False),
         Change("added", "Budget", None, "none (40 %, not trusted)")),
        (Dimension.BUDGET, Signal(value="x" * 500, confidence=0.5), Signal(value="none", confidence=0.9),
         Change("changed", "Budget", "x" * 79 + "…", "none (90 %)")),
        (Dimension.DECISION_CRITERIA, ListSignal(values=("a",), confidence=0.5),
         ListSignal(values=("a", "b", "c"), confidence=0.6), Change("added", "Decision criteria", None, "b; c (60 %)")),
        (Dimension.DECISION_CRITERIA, ListSignal(values=("a",), confidence=0.5),
         ListSignal(values=("b",), confidence=0.6), Change("changed", "Decision criteria", "a", "b (60 %)")),
    ],
)  # fmt: skip
def test_a_list_that_grew_names_only_what_came_to_it(
    dimension: Dimension, before: AnySignal, after: AnySignal, change: Change
) -> None:
    assert changes_between(knowing(dimension, before), knowing(dimension, after)).changes == (change,)


def test_backing_off_is_a_change() -> None:
    before, after = RULES.before(5), RULES.after(5)
    assert before is not None
    assert after is not None
    assert changes_between(before, after).changes == (Change("changed", "Probing", "going on", "backing off"),)


def test_a_person_is_new_only_in_the_message_that_names_them() -> None:
    assert [(person.name, person.new) for person in people.people(RULES, 3)] == [("Tom Reyes", True)]
    assert [(person.name, person.new) for person in people.people(RULES, 5)] == [("Tom Reyes", False)]
    assert people.people(RULES, 1) == ()


def test_the_ladder_has_a_point_per_message_and_side_and_marks_back_offs() -> None:
    spec = ladder.ladder(conversation("carrier"), (RULES, RECORDED), 3)
    back_offs, current, lines, points = (layer["data"]["values"] for layer in spec["layer"])
    assert current == [{"message": 2}]
    assert lines == points
    steps = [(row["Run"], row["message"], row["Pain"]) for row in points]
    assert steps[:3] == [("rules", 1, "Surface"), ("rules", 2, "Emotional"), ("rules", 3, "Emotional")]
    assert [(row["Run"], row["from"], row["to"]) for row in back_offs] == [
        ("rules", 2.7, 3.3),
        ("recorded", 2.7, 3.3),
    ]
    json.dumps(spec)


def test_lines_of_the_ladder_differ_by_more_than_colour() -> None:
    spec = ladder.ladder(conversation("carrier"), (RULES, RECORDED), 3)
    line, point = spec["layer"][2]["encoding"], spec["layer"][3]["encoding"]
    assert len(line["strokeDash"]["scale"]["range"]) == len(point["shape"]["scale"]["range"]) == 2


def test_the_ladder_is_described_in_words() -> None:
    assert ladder.described((RULES, EMPTY), 5) == (
        "rules: emotional, backing off after this message. empty: not analysed."
    )


@pytest.mark.parametrize(
    ("source", "name", "fallback"),
    [
        (Source(kind="rules"), "Fixed rules, no model", False),
        (Source(kind="llm", model="m"), "Asked m", False),
        (Source(kind="recorded", model="m"), "Recorded answer of m", False),
        (Source(kind="labels"), "Labels by people", False),
        (
            Source(kind="rules", model="m", fallback_reason=FallbackReason.DEADLINE),
            "Seed question in the model's place: deadline",
            True,
        ),
        (
            Source(kind="llm", model="m", fallback_reason=FallbackReason.REFUSED),
            "Seed question in the model's place: refused",
            True,
        ),
    ],
)
def test_who_answered_is_said_plainly(source: Source, name: str, fallback: bool) -> None:
    found = provenance.origin(source)
    assert (found.name, found.fallback) == (name, fallback)


def test_a_fallback_is_told_apart_by_what_it_replaced() -> None:
    asked, read = (item.origin.name for item in sorted(provenance.provenance(RECORDED, 5), key=by_conclusions))
    assert asked == "Seed question in the model's place: no recording"
    assert read == "Nothing read from the message: no recording"
    assert [item.name for item in provenance.origins(RECORDED, 5)] == [asked]


def by_conclusions(item: provenance.Provenance) -> int:
    return len(item.conclusions)


def test_sources_that_are_alike_are_one_and_what_is_unknown_is_a_dash() -> None:
    (rules,) = provenance.provenance(RULES, 3)
    assert rules.conclusions == ("Qualification", "Question", "People")
    assert (rules.origin.name, rules.prompt) == ("Fixed rules, no model", None)
    assert dict(rules.figures) == {"latency": "0.4 ms", "tokens": UNKNOWN, "cost": UNKNOWN}
    (recorded,) = provenance.provenance(RECORDED, 3)
    assert (recorded.origin.name, recorded.prompt) == ("Recorded answer of a-model-4", "qbs_analysis@1a2b3c4d")
    assert dict(recorded.figures) == {"latency": "412 ms", "tokens": "1,204 + 86", "cost": "$0.0021"}


@pytest.mark.parametrize(("turn", "taken"), [(3, "412 ms · $0.0063"), (5, "")])
def test_what_a_turn_took_is_said_as_far_as_it_was_measured(turn: int, taken: str) -> None:
    assert spent(RECORDED.analysis(turn)) == taken
    assert spent(None) == ""


@pytest.mark.parametrize(
    ("turn", "disagrees"), [(1, {"Dimensions"}), (3, {"Question", "Dimensions"}), (5, set())]
)  # fmt: skip
def test_the_label_is_set_against_each_side(turn: int, disagrees: set[str]) -> None:
    rows = labels.against_label(label(turn), (RULES, EMPTY))
    assert {row.aspect for row in rows if row.verdicts[0] and not row.verdicts[0].agrees} == disagrees
    assert all(row.verdicts[1] is None for row in rows)
