"""Ratings by the wording: what the fake model says where it is asked to judge a message."""

from __future__ import annotations

import pytest

from engine.llm.fake import FakeModel, FakeModelConfig
from engine.llm.fake.by_wording import REPLY_NAME, rated
from engine.llm.reply import schema_of
from engine.llm.service import ModelService
from engine.model.conversation import Speaker, Turn
from evals.judgements import Judgement, turn_question
from evals.rubric import QuestionJudge, _QuestionJudgement
from tests.evals.values import conversation

SAID = "We lose two days a week to manual reports."


def ratings(text: str, *, said: str = SAID) -> tuple[int, int]:
    turns = [Turn(index=0, speaker=Speaker.CUSTOMER, text=said), Turn(index=1, speaker=Speaker.SELLER, text=text)]
    found = rated(turns)
    assert found is not None
    return found["naturalness"], found["value_first"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Two days on manual reports is a lot to lose. What would you do with them?", (4, 4)),
        ("That sounds tiring for the whole team. What would you do with the time?", (4, 3)),
        ("Thanks for that. What would you do with the time?", (4, 2)),
        ("What would you do with the time?", (4, 1)),
        ("What would you do? And who would have to sign?", (3, 1)),
        ("What is your main pain point, and who is the economic buyer?", (2, 1)),
        (f"What is your pain point? {'Really ' * 45}why? Who signs?", (1, 1)),
    ],
)
def test_ratings_follow_from_the_wording(text: str, wanted: tuple[int, int]):
    assert ratings(text) == wanted


@pytest.mark.parametrize("speakers", [(), ("seller",), ("seller", "seller"), ("seller", "customer")])
def test_there_is_nothing_to_judge_unless_the_seller_answers_the_customer(speakers: tuple[str, ...]):
    assert rated([Turn(index=at, speaker=who, text="x") for at, who in enumerate(speakers)]) is None


async def test_a_judge_that_asks_the_fake_model_gets_these_ratings():
    assert schema_of(_QuestionJudgement)["name"] == REPLY_NAME
    talk, text = conversation(), "Two hours a day is a lot to lose. What would you do with them?"
    async with (
        FakeModel(FakeModelConfig(answers="rules")) as fake,
        ModelService(api_base=fake.base_url, api_key="any") as service,
    ):
        judge = QuestionJudge(service, "openai/some-model", deadline_s=60)
        found = await judge.rate(talk, turn_question(talk.id, 1, text))
    assert isinstance(found, Judgement)
    assert (found.naturalness, found.value_first) == ratings(text, said=talk.turns[1].text) == (4, 4)
    assert text[:40] in found.reason
