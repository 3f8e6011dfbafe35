"""The detector reports people of the latest message; rules keep back the known, the doubled and the too early."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from engine.expansion import AccountExpansionDetector
from engine.model.analysis import FallbackReason
from engine.model.context import ConversationContext
from engine.model.qbs import ExpansionTrigger, Urgency
from engine.prompts import PromptLibrary
from engine.prompts.transcript import parse, render
from tests.engine.scripted_service import ScriptedService
from tests.engine.values import customer, seller

HISTORY = (seller("Who else looks at this?", 0),)
TURN = customer("Our CFO, and Anke from the night shift.", 1)
TEXT = render((*HISTORY, TURN))
CONTEXT = ConversationContext(account="Norrland Mills", known_contacts=("Per Lund",))


def detector(*people: Any, **options: Any) -> tuple[AccountExpansionDetector, ScriptedService]:
    service = ScriptedService(expansion={"people": list(people)})
    return AccountExpansionDetector(service, PromptLibrary(), "quick-model", **options), service


def person(name: str, **more: Any) -> dict[str, Any]:
    return {"mentioned_name_or_role": name, **more}


async def test_one_request_goes_to_the_fast_model_with_the_parameters_of_spec() -> None:
    asking, service = detector(deadline_s=2.5, sample=3)
    await asking.detect(CONTEXT, TURN, HISTORY)
    (request,) = service.requests.values()
    assert (request.purpose, request.model, request.temperature, request.reasks, request.sample) == (
        "expansion",
        "quick-model",
        0.2,
        1,
        3,
    )
    assert service.deadlines == [2.5]
    assert "Known already: Per Lund" in request.messages[-1]["content"]
    assert parse(request.messages[-1]["content"]) == (*HISTORY, TURN)


async def test_a_reply_becomes_triggers_as_the_model_reported_them() -> None:
    given = person(
        "Anke",
        context_quote="Anke from the night shift",
        relationship_to_contact="another department",
        expansion_approach="Offer to show her the\nstops.",
        urgency="immediate",
    )
    asking, _ = detector(given, person("Per Lund"))
    expansion = await asking.detect(CONTEXT, TURN, HISTORY)
    assert expansion.triggers == (
        ExpansionTrigger(
            mentioned_name_or_role="Anke",
            context_quote="Anke from the night shift",
            relationship_to_contact="another department",
            expansion_approach="Offer to show her the stops.",
            urgency=Urgency.IMMEDIATE,
        ),
        ExpansionTrigger(mentioned_name_or_role="Per Lund"),
    )
    assert expansion.source.label == "llm"


@pytest.mark.parametrize(
    ("given", "understood"),
    [
        (person("Anke", urgency="Next Conversation"), [("Anke", "next_conversation")]),
        (person("Anke", urgency="after-trust-builds"), [("Anke", "after_trust_builds")]),
        (person("Anke", urgency=None), [("Anke", "next_conversation")]),
        (person("Anke", context_quote=None, relationship_to_contact=None), [("Anke", "next_conversation")]),
        (person("  "), []),
        (person(None), []),
        (person("x" * 300), [("x" * 200, "next_conversation")]),
    ],
)
async def test_sloppy_entries_are_understood(given: dict[str, Any], understood: list[tuple[str, str]]) -> None:
    asking, _ = detector(given)
    found = (await asking.detect(CONTEXT, TURN, HISTORY)).triggers
    assert [(trigger.mentioned_name_or_role, trigger.urgency) for trigger in found] == understood


@pytest.mark.parametrize("given", [person("Anke", urgency="tomorrow"), {"name": "Anke"}, "Anke"])
async def test_an_entry_that_cannot_be_understood_is_refused(given: Any) -> None:
    asking, _ = detector(given)
    with pytest.raises(ValidationError):
        await asking.detect(CONTEXT, TURN, HISTORY)


@pytest.mark.parametrize(
    ("count", "urgency"),
    [(0, "next_conversation"), (2, "next_conversation"), (3, "immediate"), (9, "immediate")],
)
async def test_nobody_is_immediate_before_the_third_interaction(count: int, urgency: str) -> None:
    asking, _ = detector(person("Anke", urgency="immediate"))
    (trigger,) = await asking.detect_expansion_triggers(TEXT, [], count)
    assert trigger.urgency == urgency


@pytest.mark.parametrize("known", ["CFO", "our CFO", "the Chief Financial Officer"])
async def test_known_contacts_and_doubles_are_never_reported(known: str) -> None:
    asking, service = detector(person("the CFO"), person("Anke"), person("Anke"))
    found = await asking.detect_expansion_triggers(TEXT, [known], 5)
    assert [trigger.mentioned_name_or_role for trigger in found] == ["Anke"]
    assert f"Known already: {known}" in service.requests["expansion"].messages[-1]["content"]


@pytest.mark.parametrize("text", [TEXT, "Our CFO, and Anke from the night shift.", ""])
async def test_the_conversation_may_be_a_transcript_or_a_bare_message(text: str) -> None:
    asking, service = detector()
    assert await asking.detect_expansion_triggers(text, [], 0) == []
    assert parse(service.requests["expansion"].messages[-1]["content"])


@pytest.mark.parametrize("reason", FallbackReason)
async def test_after_any_failure_there_is_nobody_and_the_source_says_why(reason: FallbackReason) -> None:
    asking = AccountExpansionDetector(ScriptedService(expansion=reason), PromptLibrary(), "quick-model")
    assert await asking.detect_expansion_triggers(TEXT, [], 5) == []
    expansion = await asking.detect(CONTEXT, TURN, HISTORY)
    assert expansion.triggers == ()
    assert (expansion.source.kind, expansion.source.fallback_reason) == ("rules", reason)
    assert (expansion.source.model, expansion.source.attempts) == ("quick-model", 2)
