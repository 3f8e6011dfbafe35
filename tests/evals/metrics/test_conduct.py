"""Conduct of the proposed message, worked by hand."""

from __future__ import annotations

import pytest

from engine.model.qualification import Dimension
from evals.metrics import find_metric
from evals.metrics.conduct import probes_without_value
from evals.metrics.judged import JudgedTurn
from tests.evals.metrics.turns import FALLBACK, analysis, judged, value_of
from tests.evals.values import conversation, recommendation


def test_questions_per_message_counts_messages_that_ask():
    texts = ("What happens then? And who pays for it all?", "How does that go on a bad day?", "I will write to you.")
    turns = [judged(analysis(suggested_question=text)) for text in texts]
    assert value_of(find_metric("conduct.questions_per_message"), *turns) == pytest.approx(3 / 2)


VALUE = {
    "a bare probe": ({"suggested_question": "What does that cost you?"}, True),
    "an echo is not enough": ({"suggested_question": "I see. What does that cost you?"}, True),
    "a label first": ({"suggested_question": "It sounds as if nobody owns it. What does that cost you?"}, False),
    "a mirror": ({"suggested_question": "Two hours a day?", "voss_delivery": "mirror"}, False),
    "no probe": ({"suggested_question": "Have I got that right?", "question_type": "confirmation"}, False),
    "nothing said": ({"suggested_question": ""}, False),
}


@pytest.mark.parametrize(("fields", "wanted"), VALUE.values(), ids=VALUE)
def test_a_probe_gives_value_if_something_comes_before_it(fields: dict[str, str], wanted: bool):
    assert probes_without_value(recommendation(**{"question": fields["suggested_question"], **fields})) is wanted


def talk_of(*messages: str) -> list[JudgedTurn]:
    """One conversation: p probes without value, v gives value, f is a probe by a fallback."""
    talk = conversation(customer_turns=len(messages))
    turns: list[JudgedTurn] = []
    for number, message in enumerate(messages):
        kind = "confirmation" if message == "v" else "impact"
        answer = analysis(question_type=kind, **({"source": FALLBACK} if message == "f" else {}))
        turns.append(judged(answer, turn=2 * number + 1, of=talk, earlier=tuple(turns)))
    return turns


@pytest.mark.parametrize(
    ("messages", "wanted"),
    [("vvv", 0), ("pvp", 1), ("ppvp", 2), ("pvppp", 3), ("pppvpp", 3), ("vvvv", 0)],
)
def test_the_longest_run_of_probes(messages: str, wanted: int):
    assert value_of(find_metric("conduct.probe_run"), *talk_of(*messages)) == pytest.approx(wanted)


def test_the_longest_run_is_the_mean_over_conversations():
    turns = [*talk_of(*"pppv"), *talk_of(*"pvpv")]
    assert value_of(find_metric("conduct.probe_run"), *turns) == pytest.approx((3 + 1) / 2)


def test_what_a_fallback_asks_is_no_part_of_the_models_run():
    turns = talk_of(*"pfvp")
    # Three of four turns count, so the conversation counts for three quarters.
    assert value_of(find_metric("conduct.probe_run"), *turns) == pytest.approx(1 / 0.75)


def test_messages_with_jargon():
    turns = [
        judged(analysis(suggested_question=text)) for text in ("What are your pain points?", "What goes wrong there?")
    ]
    assert value_of(find_metric("conduct.jargon"), *turns) == 0.5


EMOTION = {
    "too early": (0, "factual", "surface", 1.0),
    "on the second message": (1, "factual", "surface", 1.0),
    "on the third": (2, "factual", "surface", None),
    "the customer went there": (0, "emotional_language", "surface", None),
    "the customer had been there": (0, "factual", "emotional", None),
}


@pytest.mark.parametrize(("interaction", "engagement", "depth", "wanted"), EMOTION.values(), ids=EMOTION)
def test_emotional_depth_before_its_time(interaction: int, engagement: str, depth: str, wanted: float | None):
    turn = judged(
        analysis(suggested_question="How does that make you feel?"),
        {"engagement": engagement, "pain_depth": depth},
        interaction=interaction,
    )
    assert value_of(find_metric("conduct.early_emotion"), turn) == wanted


def test_a_plain_question_goes_to_no_emotional_depth():
    assert value_of(find_metric("conduct.early_emotion"), judged(analysis(), {})) == 0.0


@pytest.mark.parametrize(
    ("kind", "said", "wanted"),
    [
        ("solution", frozenset(), 1.0),
        ("solution", frozenset({Dimension.BUDGET}), 1.0),
        ("solution", frozenset({Dimension.NEED}), None),
        ("solution", frozenset({Dimension.PAIN}), None),
        ("impact", frozenset(), 0.0),
    ],
)
def test_a_solution_is_premature_before_any_need_or_pain(kind: str, said: frozenset[Dimension], wanted: float | None):
    turn = judged(analysis(question_type=kind), {}, said=said)
    assert value_of(find_metric("conduct.premature_solution"), turn) == wanted


def test_conduct_is_that_of_what_was_proposed():
    used = analysis(question_type="confirmation", suggested_question="Have I got that right?")
    proposed = recommendation("What are your pain points? And who holds the budget for this?")
    turn = judged(used.model_copy(update={"question": used.question.model_copy(update={"proposed": proposed})}))
    assert value_of(find_metric("conduct.jargon"), turn) == 1.0
    assert value_of(find_metric("conduct.questions_per_message"), turn) == 2.0
