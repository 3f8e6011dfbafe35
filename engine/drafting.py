"""ReplyDrafter: the seller's next message, which carries the recommended question, by a model or by rules."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints

from engine.errors import ModelCallError
from engine.guardrails.drafts import guard_draft
from engine.llm.reply import Reply, described
from engine.llm.service import ModelRequest, ModelService
from engine.model.analysis import FallbackReason, GuardrailChange, Source
from engine.model.conversation import Channel, Speaker, Turn
from engine.model.qbs import QBSQuestionRecommendation, QBSQuestionType, VossDelivery
from engine.model.qualification import Dimension
from engine.model.state import ConversationState
from engine.model.value import Value
from engine.prompts import PromptLibrary, RenderedPrompt, build_chat_prompt, build_email_prompt
from engine.rules.drafting import draft_by_rules

MAX_DRAFT_CHARACTERS = 4_000


class Draft(Value):
    """A message ready to be sent, where it came from, and what the guardrails changed in it."""

    text: str
    source: Source
    changes: tuple[GuardrailChange, ...] = ()


class ReplyDrafter:
    """Drafts with the model, or by rules where there is none; after any failure by rules, labelled with the reason.

    `deadline_s` is the limit of one call in seconds, `sample` the number of the repeat. Raises PromptError at once
    when a prompt in use cannot be filled in. Without `service` or `model` nothing is ever asked.
    """

    def __init__(
        self,
        service: ModelService | None = None,
        prompts: PromptLibrary | None = None,
        model: str | None = None,
        *,
        deadline_s: float = 8.0,
        sample: int = 0,
    ) -> None:
        self._service, self._prompts, self._model = service, prompts or PromptLibrary(), model
        self._deadline_s, self._sample = deadline_s, sample
        if service is not None and model is not None:
            for channel in Channel:
                self._request(model, _NOBODY, (_NOTHING_SAID,), _NO_QUESTION, channel)

    async def draft(
        self,
        state: ConversationState,
        turns: Sequence[Turn],
        recommendation: QBSQuestionRecommendation,
        *,
        channel: Channel,
    ) -> Draft:
        """The reply to the last of `turns` (at least one); never raises for a model failure.

        `state` is the state after that turn, `recommendation` the guarded one for it.
        """
        by_rules = draft_by_rules(state, turns, recommendation, channel)
        text, source = by_rules.text, Source(kind="rules")
        if self._service is not None and self._model is not None:
            request = self._request(self._model, state, turns, recommendation, channel)
            try:
                reply = await self._service.ask(request, deadline=self._deadline_s)
                text, source = reply.value.text, reply.source
            except ModelCallError as error:
                source = error.source
        guarded = guard_draft(text, recommendation=recommendation, channel=channel, instead=by_rules)
        if guarded.replaced and source.kind != "rules":
            source = source.model_copy(update={"kind": "rules", "fallback_reason": FallbackReason.INVALID_REPLY})
        return Draft(text=guarded.text, source=source, changes=guarded.changes)

    def _request(
        self,
        model: str,
        state: ConversationState,
        turns: Sequence[Turn],
        recommendation: QBSQuestionRecommendation,
        channel: Channel,
    ) -> ModelRequest[_Message]:
        prompt = self._prompt(state, turns, recommendation, channel)
        return ModelRequest(
            purpose="draft",
            model=model,
            messages=prompt.messages,
            reply=described(REPLIES[channel], prompt.reply, where=prompt.ref),
            prompt=prompt.ref,
            temperature=prompt.temperature,
            max_tokens=prompt.max_tokens,
            sample=self._sample,
        )

    def _prompt(
        self,
        state: ConversationState,
        turns: Sequence[Turn],
        recommendation: QBSQuestionRecommendation,
        channel: Channel,
    ) -> RenderedPrompt:
        if channel is Channel.EMAIL:
            return build_email_prompt(state, turns, recommendation, prompts=self._prompts)
        return build_chat_prompt(state, turns, recommendation, channel=channel, prompts=self._prompts)


# Enough to find out whether the prompts in use can be filled in.
_NOBODY = ConversationState(state_id="", tenant_id="", account_id="", contact_id="")
_NOTHING_SAID = Turn(index=0, speaker=Speaker.CUSTOMER, text="")
_NO_QUESTION = QBSQuestionRecommendation(
    question_type=QBSQuestionType.CONFIRMATION,
    meddic_bant_target=Dimension.NEED,
    voss_delivery=VossDelivery.LABEL,
    suggested_question="",
)
_SUBJECT_LINE = re.compile(r"\A\s*(?:\*\*)?subject(?:\*\*)?:[^\n]*\n+", re.IGNORECASE)
_FENCE = re.compile(r"\A\s*```\w*\n|\n```\s*\Z")


def _as_message(given: Any) -> Any:
    """Models put a subject line above the body, or a fence around all of it."""
    return _SUBJECT_LINE.sub("", _FENCE.sub("", given)) if isinstance(given, str) else given


_Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_DRAFT_CHARACTERS),
    BeforeValidator(_as_message),
]


class _Message(Reply):
    text: _Text


class _EmailReply(_Message):
    """The seller's next email, ready to be sent."""

    model_config = ConfigDict(title="EmailReply")

    text: _Text = Field(
        description="Greeting, two to four short paragraphs, sign-off; no subject line. First something they get from"
        " reading it, then at most one question, alone near the end."
    )


class _ChatReply(_Message):
    """The seller's next chat message, ready to be sent."""

    model_config = ConfigDict(title="ChatReply")

    text: _Text = Field(
        description="One to three short sentences: a reaction to what they said, then at most one question."
    )


class _CallReply(_Message):
    """The seller's next words on the call."""

    model_config = ConfigDict(title="CallReply")

    text: _Text = Field(
        description="One to three short sentences to be spoken: a few of their own words or a reaction, then at most"
        " one question."
    )


REPLIES: Mapping[Channel, type[_Message]] = {
    Channel.EMAIL: _EmailReply,
    Channel.CHAT: _ChatReply,
    Channel.CALL: _CallReply,
}
