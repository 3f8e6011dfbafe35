"""AccountExpansionDetector: who else in the account the customer's latest message brings up.

What is remembered of them, and who may be reported at all, is `engine.contacts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field

from engine.contacts import allowed_triggers
from engine.errors import ModelCallError
from engine.llm.reply import Reply, described
from engine.llm.service import ModelRequest, ModelService
from engine.model.analysis import Expansion
from engine.model.context import ConversationContext
from engine.model.conversation import Turn
from engine.model.qbs import ExpansionTrigger, Urgency
from engine.prompts import PromptLibrary, build_expansion_detection_prompt, render_recent_turns

MAX_PEOPLE = 12
_LIMITS = {"mentioned_name_or_role": 200, "context_quote": 600}
_SENTENCE_CHARACTERS = 300


class AccountExpansionDetector:
    """Asks the fast model for newly mentioned people, teams and roles; after any failure there are none.

    `deadline_s` is the limit of one call in seconds, `sample` the number of the repeat. Raises PromptError at
    once when the prompt in use cannot be filled in. Nothing here creates a stakeholder.
    """

    def __init__(
        self, service: ModelService, prompts: PromptLibrary, model: str, *, deadline_s: float = 8.0, sample: int = 0
    ) -> None:
        self._service, self._prompts, self._model = service, prompts, model
        self._deadline_s, self._sample = deadline_s, sample
        self._request("", (), ConversationContext())

    async def detect_expansion_triggers(
        self, conversation_text: str, existing_contacts: Sequence[str], interaction_count: int
    ) -> list[ExpansionTrigger]:
        """Who may be reported after the latest message: nobody known, nobody twice, nobody `immediate` too early.

        `conversation_text` is a rendered transcript (`engine.prompts.transcript`) or one message of the customer;
        `interaction_count` how many there were before it. After any model failure the list is empty.
        """
        expansion = await self._ask(self._request(conversation_text, existing_contacts, ConversationContext()))
        return list(allowed_triggers(expansion.triggers, existing_contacts, interaction_count))

    async def detect(self, context: ConversationContext, turn: Turn, history: Sequence[Turn]) -> Expansion:
        """Everybody whom the model reports, with the source; `engine.guardrails` decides who may be used."""
        return await self._ask(self._request(render_recent_turns((*history, turn)), context.known_contacts, context))

    async def _ask(self, request: ModelRequest[_PeopleMentioned]) -> Expansion:
        try:
            reply = await self._service.ask(request, deadline=self._deadline_s)
        except ModelCallError as error:
            return Expansion(source=error.source)
        return Expansion(triggers=_triggers(reply.value), source=reply.source)

    def _request(
        self, conversation_text: str, existing_contacts: Sequence[str], context: ConversationContext
    ) -> ModelRequest[_PeopleMentioned]:
        prompt = build_expansion_detection_prompt(conversation_text, existing_contacts, context, prompts=self._prompts)
        return ModelRequest(
            purpose="expansion",
            model=self._model,
            messages=prompt.messages,
            reply=described(_PeopleMentioned, prompt.reply, where=prompt.ref),
            prompt=prompt.ref,
            temperature=prompt.temperature,
            max_tokens=prompt.max_tokens,
            sample=self._sample,
        )


def _as_urgency(given: Any) -> Any:
    """Models write "Next conversation", or nothing."""
    if given is None:
        return Urgency.NEXT_CONVERSATION
    return "_".join(given.casefold().replace("-", " ").split()) if isinstance(given, str) else given


def _as_text(given: Any) -> Any:
    return "" if given is None else given


_Text = Annotated[str, BeforeValidator(_as_text)]


class _Person(Reply):
    """One person, team or role that the latest message brings up."""

    mentioned_name_or_role: _Text = Field(
        description="As the customer put it, without article or 'our'; with both known: Name (role)."
    )
    context_quote: _Text = Field(
        default="", description="The words that mention them, copied letter by letter from the latest message."
    )
    relationship_to_contact: _Text = Field(
        default="", description="What they are to the contact, as far as the words say; else 'not said'."
    )
    expansion_approach: _Text = Field(
        default="", description="One sentence: how bringing them in could help the contact, and with what."
    )
    urgency: Annotated[Urgency, BeforeValidator(_as_urgency)] = Field(
        default=Urgency.NEXT_CONVERSATION, description="When to ask for an introduction."
    )


class _PeopleMentioned(Reply):
    """The people, teams and roles at the customer that the latest message brings up."""

    model_config = ConfigDict(title="PeopleMentioned")

    people: list[_Person] = Field(description="One entry per person. Empty if the message brings up nobody.")


REPLY: type[Reply] = _PeopleMentioned


def _triggers(reply: _PeopleMentioned) -> tuple[ExpansionTrigger, ...]:
    """The reply as engine values; entries without a name are nothing."""
    named = [person for person in reply.people if person.mentioned_name_or_role.strip()]
    return tuple(_trigger(person) for person in named[:MAX_PEOPLE])


def _trigger(person: _Person) -> ExpansionTrigger:
    texts = person.model_dump(exclude={"urgency"})
    short = {field: " ".join(text.split())[: _LIMITS.get(field, _SENTENCE_CHARACTERS)] for field, text in texts.items()}
    return ExpansionTrigger(**short, urgency=person.urgency)
