"""The drafter asks a model once, in the form of the channel, and falls back on the rules with the reason."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from engine.drafting import Draft, ReplyDrafter
from engine.errors import PromptError
from engine.model.analysis import FallbackReason, Source
from engine.model.conversation import Channel
from engine.prompts import PromptLibrary
from engine.rules.drafting import draft_by_rules
from tests.engine.prompts.files import prompt_file, write
from tests.engine.scripted_service import REPLY, ScriptedService
from tests.engine.values import customer, recommendation, seller, state

TURNS = (seller("What brings you here?", 0), customer("Line 2 stops every night.", 1))
AFTER = state(interaction_count=3)
QUESTION = "What does one stop cost you?"
ASKS = recommendation(suggested_question=f"Every night, you say. {QUESTION}")


def by_rules(channel: Channel = Channel.CHAT) -> str:
    return draft_by_rules(AFTER, TURNS, ASKS, channel).text


async def drafted(service: ScriptedService | None, channel: Channel = Channel.CHAT, **options: Any) -> Draft:
    drafter = ReplyDrafter(service, PromptLibrary(), "quick-model", **options)
    return await drafter.draft(AFTER, TURNS, ASKS, channel=channel)


@pytest.mark.parametrize(
    ("channel", "prompt", "reply", "limit"),
    [
        (Channel.EMAIL, "email", "EmailReply", 700),
        (Channel.CHAT, "chat", "ChatReply", 300),
        (Channel.CALL, "chat", "CallReply", 300),
    ],
)
async def test_one_request_goes_out_in_the_form_of_the_channel(
    channel: Channel, prompt: str, reply: str, limit: int
) -> None:
    service = ScriptedService()
    await drafted(service, channel, deadline_s=1.5, sample=1)
    request = service.requests["draft"]
    assert (request.model, request.max_tokens, request.sample) == ("quick-model", limit, 1)
    assert request.prompt.startswith(f"{prompt}@")
    assert request.reply.model_json_schema()["title"] == reply
    assert f"# The form: {'a call' if channel is Channel.CALL else channel}" in request.messages[0]["content"]
    assert ASKS.suggested_question in request.messages[0]["content"]
    assert service.deadlines == [1.5]


async def test_the_models_message_is_the_draft() -> None:
    draft = await drafted(ScriptedService())
    assert draft.text == REPLY["text"]
    assert (draft.source.kind, draft.source.model, draft.changes) == ("llm", "quick-model", ())


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize("reason", FallbackReason)
async def test_after_any_failure_the_rules_draft_labelled_with_the_reason(
    reason: FallbackReason, channel: Channel
) -> None:
    draft = await drafted(ScriptedService(draft=reason), channel)
    assert draft.text == by_rules(channel)
    assert (draft.source.kind, draft.source.fallback_reason, draft.source.attempts) == ("rules", reason, 2)


@pytest.mark.parametrize("drafter", [ReplyDrafter(), ReplyDrafter(model="quick-model")])
async def test_without_a_model_the_rules_draft_and_it_is_no_fallback(drafter: ReplyDrafter) -> None:
    draft = await drafter.draft(AFTER, TURNS, ASKS, channel=Channel.EMAIL)
    assert draft == Draft(text=by_rules(Channel.EMAIL), source=Source(kind="rules"))


async def test_a_service_without_a_model_is_not_asked() -> None:
    service = ScriptedService()
    draft = await ReplyDrafter(service).draft(AFTER, TURNS, ASKS, channel=Channel.CHAT)
    assert (draft.source, service.requests) == (Source(kind="rules"), {})


@pytest.mark.parametrize(
    ("given", "text", "rules"),
    [
        (f"Nights sound rough. Who sees it? {QUESTION}", f"Nights sound rough. {QUESTION}", ["one_question"]),
        (f"Subject: Nights\n\nNights sound rough. {QUESTION}", f"Nights sound rough. {QUESTION}", []),
        (f"```\nNights sound rough. {QUESTION}\n```", f"Nights sound rough. {QUESTION}", []),
        (f"  Nights sound rough. {QUESTION}\n", f"Nights sound rough. {QUESTION}", []),
    ],
)
async def test_what_the_guardrails_change_is_on_the_draft_and_what_is_only_form_is_not(
    given: str, text: str, rules: list[str]
) -> None:
    draft = await drafted(ScriptedService(draft={"text": given}))
    assert draft.text == text
    assert [change.rule for change in draft.changes] == rules
    assert draft.source.kind == "llm"


async def test_a_message_of_which_nothing_can_be_used_counts_as_one_of_the_rules() -> None:
    draft = await drafted(ScriptedService(draft={"text": "[Your message here]"}))
    assert draft.text == by_rules()
    assert (draft.source.kind, draft.source.fallback_reason) == ("rules", FallbackReason.INVALID_REPLY)
    assert (draft.source.model, draft.source.cost_usd) == ("quick-model", 0.002)
    assert [change.rule for change in draft.changes] == ["placeholder", "value_first"]


@pytest.mark.parametrize("text", ["", "  \n", "Subject: only", "x" * 5_000, None])
async def test_an_empty_or_endless_message_is_refused_and_asked_again(text: str | None) -> None:
    given = "Subject: only\n" if text == "Subject: only" else text
    with pytest.raises(ValidationError):
        await drafted(ScriptedService(draft={"text": given}))


@pytest.mark.parametrize("name", ["email", "chat"])
def test_a_prompt_that_cannot_be_filled_in_is_refused_at_once(name: str, tmp_path: Any) -> None:
    file = prompt_file("## user\n{{ mood }}", name=name, version="v9", variables="  mood: how they feel")
    write(tmp_path, file, name=name, version="v9")
    prompts = PromptLibrary(tmp_path, chosen={name: "v9"})
    with pytest.raises(PromptError, match="mood"):
        ReplyDrafter(ScriptedService(), prompts, "quick-model")
    ReplyDrafter(prompts=prompts)
