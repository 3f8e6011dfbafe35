"""The prompts as they are sent: a file of the library, filled in from values. The names are those of SPEC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from engine.model.context import ConversationContext
from engine.model.conversation import Channel, DealStage, Persona, Turn
from engine.model.qbs import QBSQuestionRecommendation
from engine.model.state import ConversationState
from engine.pain import PainDepthTracker
from engine.prompts import variables
from engine.prompts.front_matter import ModelRole
from engine.prompts.library import PromptLibrary
from engine.prompts.prompt import Message, Prompt


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    """Messages ready to be sent. `ref` is the `name@hash8` of every prompt file in them, joined by `+`.

    `reply` is what the prompt says of fields of the reply schema in words of its own.
    """

    messages: tuple[Message, ...]
    ref: str
    model_role: ModelRole | None
    temperature: float
    max_tokens: int
    reply: Mapping[str, str] = field(default_factory=dict)


def build_qualification_extraction_prompt(
    context: ConversationContext, turn: Turn, history: Sequence[Turn], *, prompts: PromptLibrary | None = None
) -> RenderedPrompt:
    """Ask for all ten dimensions at once. Depends on the header and the turns alone, never on carried state."""
    return _filled(_library(prompts).load("extraction"), variables.of_extraction(context, turn, history))


def build_qbs_analysis_prompt(
    state: ConversationState, turn: Turn, history: Sequence[Turn], *, prompts: PromptLibrary | None = None
) -> RenderedPrompt:
    """Ask what to say next. `state` is the state before `turn`; of the conversation it gets the last turns."""
    return _filled(_library(prompts).load("question"), variables.of_question(state, turn, history))


def build_expansion_detection_prompt(
    conversation_text: str,
    existing_contacts: Sequence[str],
    context: ConversationContext | None = None,
    *,
    prompts: PromptLibrary | None = None,
) -> RenderedPrompt:
    """Ask whom the latest message brings up. `conversation_text` is a rendered transcript, or one message."""
    available = variables.of_expansion(conversation_text, existing_contacts, context or ConversationContext())
    return _filled(_library(prompts).load("expansion"), available)


def build_qbs_prompt_section(
    recommendation: QBSQuestionRecommendation,
    state: ConversationState | None = None,
    *,
    prompts: PromptLibrary | None = None,
) -> str:
    """What one recommendation means for the reply, in plain words: the `qbs_guidance` of the system prompt."""
    backing_off = state is not None and PainDepthTracker.should_back_off(PainDepthTracker.load(state))
    prompt = _library(prompts).load("guidance")
    available = {**variables.recommended(recommendation), "backing_off": backing_off}
    return prompt.render_section("guidance", **prompt.chosen_from(available))


def build_system_prompt(
    persona: Persona,
    channel: Channel,
    deal_stage: DealStage,
    qbs_guidance: str | None = None,
    *,
    prompts: PromptLibrary | None = None,
) -> str:
    """How a reply is written: role, Voss, methodology, guidance if there is any, persona, channel, stage, rules."""
    prompt = _library(prompts).load("system")
    guidance = ("guidance",) if qbs_guidance else ()
    parts = (f"persona.{Persona(persona)}", f"channel.{Channel(channel)}", f"stage.{DealStage(deal_stage)}")
    order = ("role", "voss", "methodology", *guidance, *parts, "rules")
    given = prompt.chosen_from({"qbs_guidance": qbs_guidance or ""})
    return "\n\n".join(prompt.render_section(section, **given) for section in order)


def build_context_summary(state: ConversationState, *, prompts: PromptLibrary | None = None) -> str:
    """What to carry into the next conversation: what is known, pain topics, what was left alone, open contacts."""
    prompt = _library(prompts).load("context")
    available = {
        **variables.header(ConversationContext.of_state(state)),
        **variables.situation(state),
        **variables.carried(state),
    }
    return prompt.render_section("summary", **prompt.chosen_from(available))


def build_email_prompt(
    state: ConversationState,
    turns: Sequence[Turn],
    recommendation: QBSQuestionRecommendation | None = None,
    *,
    prompts: PromptLibrary | None = None,
) -> RenderedPrompt:
    """Ask for the seller's next email. `state` is the state after the last of `turns`."""
    return _draft("email", Channel.EMAIL, state, turns, recommendation, _library(prompts))


def build_chat_prompt(
    state: ConversationState,
    turns: Sequence[Turn],
    recommendation: QBSQuestionRecommendation | None = None,
    *,
    channel: Channel = Channel.CHAT,
    prompts: PromptLibrary | None = None,
) -> RenderedPrompt:
    """Ask for the seller's next chat message or, with `channel` call, the next words on a call."""
    return _draft("chat", channel, state, turns, recommendation, _library(prompts))


def _draft(
    name: str,
    channel: Channel,
    state: ConversationState,
    turns: Sequence[Turn],
    recommendation: QBSQuestionRecommendation | None,
    prompts: PromptLibrary,
) -> RenderedPrompt:
    guidance = build_qbs_prompt_section(recommendation, state, prompts=prompts) if recommendation else None
    available = {
        **variables.header(ConversationContext.of_state(state)),
        **variables.recent_conversation(turns),
        "seller": variables.seller_name(turns),
        "system_prompt": build_system_prompt(state.persona_type, channel, state.deal_stage, guidance, prompts=prompts),
        "context_summary": build_context_summary(state, prompts=prompts),
    }
    woven = ("system", "guidance", "context") if guidance else ("system", "context")
    return _filled(prompts.load(name), available, *(prompts.load(part) for part in woven))


def _filled(prompt: Prompt, available: variables.Variables, *woven: Prompt) -> RenderedPrompt:
    return RenderedPrompt(
        messages=prompt.render(**prompt.chosen_from(available)),
        ref="+".join(part.ref for part in (prompt, *woven)),
        model_role=prompt.head.model_role,
        temperature=prompt.head.temperature,
        max_tokens=prompt.head.max_tokens,
        reply=prompt.head.reply,
    )


def _library(prompts: PromptLibrary | None) -> PromptLibrary:
    return prompts or _shipped_library()


@cache
def _shipped_library() -> PromptLibrary:
    return PromptLibrary()
