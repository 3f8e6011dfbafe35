"""A prompt may say in its own words what the model is to fill in, and the model is told so."""

from __future__ import annotations

import pytest

from engine.drafting import ReplyDrafter
from engine.errors import PromptError
from engine.expansion import AccountExpansionDetector
from engine.llm.reply import schema_of
from engine.model.context import ConversationContext
from engine.model.conversation import Channel, Speaker, Turn
from engine.model.qbs import QBSQuestionRecommendation, QBSQuestionType, VossDelivery
from engine.model.qualification import Dimension
from engine.model.state import ConversationState
from engine.prompts import PromptLibrary, read_prompt
from engine.qbs import QBSQuestionEngine
from engine.qualification import QualificationExtractor
from engine.replies import reply_fields, reply_of

STATE = ConversationState(state_id="", tenant_id="", account_id="", contact_id="")
TURN = Turn(index=0, speaker=Speaker.CUSTOMER, text="We lose two days a week.")
QUESTION = QBSQuestionRecommendation(
    question_type=QBSQuestionType.IMPACT,
    meddic_bant_target=Dimension.METRICS,
    voss_delivery=VossDelivery.LABEL,
    suggested_question="What does it cost?",
)
PATHS = {
    "extraction": "Finding.value",
    "question": "suggested_question",
    "expansion": "Person.urgency",
    "email": "text",
    "chat": "text",
}


def saying(name: str, path: str) -> PromptLibrary:
    text = PromptLibrary().load(name).content.decode().replace("version: v1", "version: v2")
    told = text.replace("\nvariables:\n", f"\nreply:\n  {path}: IN OTHER WORDS\nvariables:\n", 1)
    return PromptLibrary().using(read_prompt(told.encode(), where=name))


class AskedError(Exception):
    """Carries what was asked."""


class Listening:
    async def ask(self, request, *, deadline):
        raise AskedError(request)


ASK = {
    "extraction": lambda own: QualificationExtractor(Listening(), own, "m").extract(ConversationContext(), TURN, ()),
    "question": lambda own: QBSQuestionEngine(Listening(), own, "m").recommend(STATE, TURN, ()),
    "expansion": lambda own: AccountExpansionDetector(Listening(), own, "m").detect(ConversationContext(), TURN, ()),
    "email": lambda own: ReplyDrafter(Listening(), own, "m").draft(STATE, (TURN,), QUESTION, channel=Channel.EMAIL),
    "chat": lambda own: ReplyDrafter(Listening(), own, "m").draft(STATE, (TURN,), QUESTION, channel=Channel.CALL),
}


@pytest.mark.parametrize("name", PATHS)
async def test_the_words_of_the_prompt_reach_the_model(name):
    with pytest.raises(AskedError) as caught:
        await ASK[name](saying(name, PATHS[name]))
    request = caught.value.args[0]
    assert "IN OTHER WORDS" in str(schema_of(request.reply))
    with pytest.raises(AskedError) as caught:
        await ASK[name](PromptLibrary())
    assert "IN OTHER WORDS" not in str(schema_of(caught.value.args[0].reply))


@pytest.mark.parametrize("name", PATHS)
def test_a_field_that_is_not_there_is_said_before_anybody_is_asked(name):
    with pytest.raises(PromptError, match=rf"^{name}@.*no field 'nonsense'"):
        ASK[name](saying(name, "nonsense")).close()


def test_every_prompt_that_is_sent_has_fields_and_a_woven_one_none():
    for name in PromptLibrary().names():
        sent = PromptLibrary().load(name).head.model_role is not None
        assert bool(reply_fields(name)) is sent
        assert (reply_of(name) is not None) is sent


def test_a_prompt_of_two_channels_describes_what_both_ask_for():
    assert [field.path for field in reply_fields("chat")] == ["text"]
