"""What prompts are offered is what the builders can tell them, no less and no more."""

from __future__ import annotations

import pytest

from engine.errors import PromptError
from engine.model.context import ConversationContext
from engine.model.conversation import Channel, DealStage, Persona, Speaker, Turn
from engine.model.qbs import QBSQuestionRecommendation, QBSQuestionType, VossDelivery
from engine.model.qualification import Dimension
from engine.model.state import ConversationState
from engine.prompts import (
    PromptLibrary,
    build_chat_prompt,
    build_context_summary,
    build_email_prompt,
    build_expansion_detection_prompt,
    build_qbs_analysis_prompt,
    build_qbs_prompt_section,
    build_qualification_extraction_prompt,
    build_system_prompt,
    read_prompt,
)
from engine.prompts.offered import OFFERED
from engine.prompts.variables import at_turn

STATE = ConversationState(state_id="", tenant_id="", account_id="", contact_id="")
TURN = Turn(index=0, speaker=Speaker.CUSTOMER, text="We lose two days a week.")
QUESTION = QBSQuestionRecommendation(
    question_type=QBSQuestionType.IMPACT,
    meddic_bant_target=Dimension.METRICS,
    voss_delivery=VossDelivery.LABEL,
    suggested_question="What does it cost?",
)
BUILD = {
    "extraction": lambda own: build_qualification_extraction_prompt(ConversationContext(), TURN, (), prompts=own),
    "question": lambda own: build_qbs_analysis_prompt(STATE, TURN, (), prompts=own),
    "expansion": lambda own: build_expansion_detection_prompt("Ask Dana.", (), prompts=own),
    "email": lambda own: build_email_prompt(STATE, (TURN,), QUESTION, prompts=own),
    "chat": lambda own: build_chat_prompt(STATE, (TURN,), QUESTION, prompts=own),
    "guidance": lambda own: build_qbs_prompt_section(QUESTION, prompts=own),
    "context": lambda own: build_context_summary(STATE, prompts=own),
    "system": lambda own: build_system_prompt(Persona.MANAGER, Channel.CHAT, DealStage.DISCOVERY, "", prompts=own),
}


def using(name: str, variables: tuple[str, ...]) -> PromptLibrary:
    """The shipped prompts, but that this one prints exactly these variables in all of its sections."""
    shipped = PromptLibrary().load(name)
    said = "\n".join(f"{{{{ {variable} }}}}" for variable in variables)
    role = f"model_role: {shipped.head.model_role}\n" if shipped.head.model_role else ""
    told = "\n".join(f"  {variable}: x" for variable in variables)
    body = "\n".join(f"## {section}\n{said}" for section in shipped.sections)
    text = f"---\nname: {name}\nversion: v9\ndescription: all of it\n{role}variables:\n{told}\n---\n{body}\n"
    return PromptLibrary().using(read_prompt(text.encode(), where=name))


def test_every_prompt_is_offered_something():
    assert tuple(sorted(OFFERED)) == PromptLibrary().names() == tuple(sorted(BUILD))


@pytest.mark.parametrize("name", OFFERED)
def test_a_prompt_can_use_everything_that_it_is_offered(name):
    assert BUILD[name](using(name, tuple(OFFERED[name])))
    assert set(PromptLibrary().load(name).variables) <= set(OFFERED[name])


@pytest.mark.parametrize("name", OFFERED)
def test_and_nothing_else(name):
    with pytest.raises(PromptError) as caught:
        BUILD[name](using(name, ("nonsense",)))
    listed = str(caught.value).partition("available are: ")[2].split(", ")
    assert set(listed) == set(OFFERED[name])


def test_at_a_turn_each_prompt_is_told_what_its_builder_tells_it():
    turn = TURN.model_copy(update={"channel": Channel.EMAIL})
    found = at_turn(STATE, turn, ())
    for name, variables in found.items():
        assert set(variables) == set(OFFERED[name])
    assert found["question"]["channel"] == "email"
