"""Answers by the rules, to the requests that the asking modules really make."""

from __future__ import annotations

import pytest
from pydantic_core import to_json

from engine.advance import advance
from engine.analyzers import Analyzer, LLMAnalyzer, RulesAnalyzer
from engine.drafting import REPLIES, ReplyDrafter
from engine.expansion import _PeopleMentioned
from engine.llm.completion import Call
from engine.llm.fake import FakeModel, FakeModelConfig
from engine.llm.fake.by_rules import SHAPES, RulesAnswers
from engine.llm.fake.chat import ChatRequest, parse_chat
from engine.llm.reply import Reply, schema_of
from engine.llm.service import ModelService
from engine.model.analysis import Analysis
from engine.model.conversation import Channel, Contact, Conversation, Persona, Speaker, Turn
from engine.model.state import ConversationState, opening_state
from engine.prompts import PromptLibrary
from engine.prompts.transcript import render
from engine.qbs import _QuestionRecommendation
from engine.qualification import _QualificationReport
from engine.wording import questions
from tests.engine.llm.fake.calls import post, tool_call

SPOKEN = (
    ("seller", "Hi Dana, thanks for taking the time. What made you look at this now?"),
    ("customer", "We re-key every order by hand and lose about 30 hours a week. It has been a mess."),
    ("seller", "Thirty hours a week. What does that lead to?"),
    ("customer", "Late deliveries, mostly. Last month we paid 14,000 EUR in penalties and I can't sleep over it."),
    ("seller", "That sounds exhausting. How would a decision come about on your side?"),
    ("customer", "Our CFO, Milena Horvat, signs anything above 20k. Procurement wants three offers first."),
    ("seller", "Understood. Is there a date you are working towards?"),
    ("customer", "It must be live by 1 October.\n\nWe have 45,000 EUR set aside. Please don't ask me for more today."),
    ("seller", "Of course."),
    ("customer", "ok"),
)
CONVERSATION = Conversation(
    id="dana",
    title="Orders by hand",
    account="Brightline Foods",
    contact=Contact(name="Dana Petrov"),
    persona=Persona.MANAGER,
    channel="email",
    turns=tuple(Turn(index=at, speaker=who, text=text) for at, (who, text) in enumerate(SPOKEN)),
)
REPLIES: tuple[type[Reply], ...] = (
    _QualificationReport,
    _QuestionRecommendation,
    _PeopleMentioned,
    *REPLIES.values(),
)


def _asked(reply: type[Reply], turns: tuple[Turn, ...] = CONVERSATION.turns) -> ChatRequest:
    messages = (
        {"role": "system", "content": "Read."},
        {"role": "user", "content": f"Before.\n{render(turns)}\nAfter."},
    )
    call = Call("some-model", messages, schema_of(reply), 0.1, 512)
    body = {"model": call.model, "messages": call.messages, "tools": [call.tool], "tool_choice": call.tool_choice}
    return parse_chat(to_json(body))


@pytest.mark.parametrize("reply", REPLIES)
def test_an_answer_is_a_valid_reply_of_the_module_that_asks_and_loses_nothing(reply: type[Reply]) -> None:
    answer = RulesAnswers().answer(_asked(reply))
    assert answer is not None
    value = reply.model_validate_json(to_json(answer))
    assert value.model_dump(mode="json", include=set(answer), exclude_none=True) == {
        name: part for name, part in answer.items() if part is not None
    }


def test_there_is_an_answer_to_every_reply_that_the_engine_asks_for_and_to_no_other() -> None:
    assert {schema_of(reply)["name"] for reply in REPLIES} == set(SHAPES)


def test_the_answers_read_the_transcript() -> None:
    answers = RulesAnswers()
    report = answers.answer(_asked(_QualificationReport))
    people = answers.answer(_asked(_PeopleMentioned, CONVERSATION.turns[:6]))
    nobody = answers.answer(_asked(_PeopleMentioned, CONVERSATION.turns[:2]))
    assert "45,000" in report["budget"]["value"]
    assert any("45,000 EUR" in quote["quote"] and quote["turn"] == 7 for quote in report["budget"]["evidence"])
    assert any("Milena Horvat" in person["mentioned_name_or_role"] for person in people["people"])
    assert nobody["people"] == []


def test_what_follows_the_latest_customer_turn_is_not_read() -> None:
    last_said_by_seller = CONVERSATION.turns[:5]
    for reply in REPLIES:
        assert RulesAnswers().answer(_asked(reply, last_said_by_seller)) == RulesAnswers().answer(
            _asked(reply, last_said_by_seller[:4])
        )


def test_an_answer_does_not_depend_on_what_was_asked_before() -> None:
    answers = RulesAnswers()
    for until in (10, 4, 8, 2, 6):
        for reply in REPLIES:
            request = _asked(reply, CONVERSATION.turns[:until])
            assert answers.answer(request) == RulesAnswers().answer(request)


@pytest.mark.parametrize("turns", [(), CONVERSATION.turns[:1]])
def test_without_a_customer_turn_there_is_no_answer(turns: tuple[Turn, ...]) -> None:
    assert RulesAnswers().answer(_asked(_QualificationReport, turns)) is None


async def test_other_structured_calls_are_filled_by_schema() -> None:
    async with FakeModel(FakeModelConfig(answers="rules")) as fake:
        status, body, _ = await post(fake, tool_call())
    assert status == 200
    assert body["choices"][0]["message"]["tool_calls"]


async def test_a_model_that_answers_by_rules_comes_to_the_same_as_the_rules() -> None:
    async with (
        FakeModel(FakeModelConfig(answers=RulesAnswers())) as fake,
        ModelService(api_base=fake.base_url, api_key="any") as service,
    ):
        asked = LLMAnalyzer(service, PromptLibrary(), "openai/some-model", "openai/some-model", deadline_s=60)
        by_model = await _replay(asked)
        customer_turns = sum(turn.speaker is Speaker.CUSTOMER for turn in CONVERSATION.turns)
        assert fake.stats.answered == fake.stats.requests == 3 * customer_turns
    by_rules = await _replay(RulesAnalyzer())
    for (model, after_model), (rules, after_rules) in zip(by_model, by_rules, strict=True):
        assert {source.label for source in model.sources.values()} == {"llm"}
        assert model.question.recommendation == rules.question.recommendation
        assert model.expansion.triggers == rules.expansion.triggers
        assert after_model == after_rules


@pytest.mark.parametrize("channel", Channel)
async def test_a_draft_by_a_model_that_answers_by_rules_carries_the_question_of_the_rules(channel: Channel) -> None:
    analysis, after = (await _replay(RulesAnalyzer()))[0]
    question, turns = analysis.question.recommendation, CONVERSATION.turns[:2]
    async with (
        FakeModel(FakeModelConfig(answers=RulesAnswers())) as fake,
        ModelService(api_base=fake.base_url, api_key="any") as service,
    ):
        drafter = ReplyDrafter(service, PromptLibrary(), "openai/some-model", deadline_s=60)
        drafted = await drafter.draft(after, turns, question, channel=channel)
    assert drafted.source.label == "llm"
    assert drafted.changes == ()
    assert questions(drafted.text) == questions(question.suggested_question)


async def _replay(analyzer: Analyzer) -> list[tuple[Analysis, ConversationState]]:
    state, steps = opening_state(CONVERSATION), []
    for turn in CONVERSATION.customer_turns:
        analysis = await analyzer.analyze(state, turn, CONVERSATION.before(turn.index))
        state = advance(state, turn, analysis)
        steps.append((analysis, state))
    return steps
