"""A turn's three calls run side by side; each failure is its own labelled fallback; everything is guarded."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from engine import memory
from engine.analyzers import Analyzer, LLMAnalyzer, RulesAnalyzer
from engine.guardrails import guard
from engine.model.analysis import Analysis, FallbackReason
from engine.model.context import ConversationContext
from engine.model.qualification import Dimension, QualificationState, qualification_from
from engine.model.state import ConversationState
from engine.prompts import PromptLibrary
from engine.rules import analyze_by_rules, recommend_by_seed
from tests.engine.prompts.files import write
from tests.engine.scripted_service import ASK, NOBODY, NOTHING, Answer, ScriptedService
from tests.engine.values import customer, recommendation, seller, signal, state

HISTORY = (seller("What brings you here?", 0),)
TURN = customer("Line 2 stops every night. Our CFO has noticed, and 40k is approved.", 1)
CONTEXT = ConversationContext(account="Norrland Mills", known_contacts=("Per Lund",))
BEFORE = state(interaction_count=3, metadata={"context": CONTEXT.as_metadata()})
FOUND: Answer = {
    **NOTHING,
    "budget": {"value": "40k", "confidence": 0.9, "evidence": [{"turn": 1, "quote": "40k is approved"}]},
}
PEOPLE: Answer = {"people": [{"mentioned_name_or_role": "CFO", "context_quote": "Our CFO has noticed"}]}

# A test that waits for an event waits at most so long: only to fail instead of hanging.
PATIENCE_S = 20


def analyzer(service: ScriptedService, **options: Any) -> LLMAnalyzer:
    return LLMAnalyzer(service, PromptLibrary(), "big-model", "quick-model", **options)


async def analysed(service: ScriptedService, before: ConversationState = BEFORE) -> Analysis:
    return await asyncio.wait_for(analyzer(service).analyze(before, TURN, HISTORY), PATIENCE_S)


def after(event: asyncio.Event, answer: Answer) -> Callable[[], Awaitable[Answer]]:
    async def waiting() -> Answer:
        await event.wait()
        return answer

    return waiting


async def test_extraction_question_and_people_are_concluded_each_with_its_source() -> None:
    service = ScriptedService(extraction=FOUND, expansion=PEOPLE)
    analysis = await analysed(service)
    assert analysis.guarded
    assert analysis.extraction.found.identified == (Dimension.BUDGET,)
    assert analysis.question.recommendation.suggested_question == ASK["suggested_question"]
    assert [trigger.mentioned_name_or_role for trigger in analysis.expansion.triggers] == ["CFO"]
    models = {name: request.model for name, request in service.requests.items()}
    assert models == {"extraction": "big-model", "question": "quick-model", "expansion": "quick-model"}
    prompts = {name: source.prompt for name, source in analysis.sources.items()}
    assert prompts == {name: PromptLibrary().load(name).ref for name in models}


async def test_a_prompt_file_says_which_of_the_two_models_is_asked(tmp_path: Path) -> None:
    draft = PromptLibrary().load("extraction").content.replace(b"version: v1", b"version: v9")
    write(tmp_path, draft.replace(b"role: reasoning", b"role: fast"), name="extraction", version="v9")
    service = ScriptedService()
    prompts = PromptLibrary(tmp_path, chosen={"extraction": "v9"})
    await LLMAnalyzer(service, prompts, "big-model", "quick-model").analyze(BEFORE, TURN, HISTORY)
    assert service.requests["extraction"].model == "quick-model"


async def test_all_three_calls_are_under_way_before_any_is_answered() -> None:
    barrier = asyncio.Barrier(3)

    def meeting(answer: Answer) -> Callable[[], Awaitable[Answer]]:
        async def waiting() -> Answer:
            await barrier.wait()
            return answer

        return waiting

    service = ScriptedService(extraction=meeting(FOUND), question=meeting(ASK), expansion=meeting(PEOPLE))
    analysis = await analysed(service)
    assert not any(source.is_fallback for source in analysis.sources.values())


async def test_one_deadline_and_one_sample_index_hold_for_all_three() -> None:
    service = ScriptedService()
    await analyzer(service, deadline_s=4.0, sample=7).analyze(BEFORE, TURN, HISTORY)
    assert service.deadlines == [4.0] * 3
    assert {request.sample for request in service.requests.values()} == {7}


@pytest.mark.parametrize("failing", ["extraction", "question", "expansion"])
@pytest.mark.parametrize("reason", [FallbackReason.DEADLINE, FallbackReason.INVALID_REPLY, FallbackReason.NO_RECORDING])
async def test_a_call_that_fails_first_leaves_the_others_to_finish(failing: str, reason: FallbackReason) -> None:
    failed = asyncio.Event()

    async def fail() -> Answer:
        failed.set()
        return reason

    answers = {"extraction": FOUND, "question": ASK, "expansion": PEOPLE}
    scripts: dict[str, Any] = {name: after(failed, answer) for name, answer in answers.items()} | {failing: fail}
    analysis = await analysed(ScriptedService(**scripts))
    for name, source in analysis.sources.items():
        assert source.label == (f"rules ({reason})" if name == failing else "llm")
        assert source.attempts == (2 if name == failing else 1)
    assert bool(analysis.extraction.found.identified) is (failing != "extraction")
    assert bool(analysis.expansion.triggers) is (failing != "expansion")


async def test_when_all_fail_nothing_is_claimed_and_the_seed_table_asks() -> None:
    down = FallbackReason.CONNECTION
    analysis = await analysed(ScriptedService(extraction=down, question=down, expansion=down))
    assert analysis.extraction.found == QualificationState()
    assert analysis.expansion.triggers == ()
    assert analysis.raw.question.recommendation == recommend_by_seed(BEFORE)
    assert {source.label for source in analysis.sources.values()} == {"rules (connection)"}
    assert analysis.cost_usd == pytest.approx(0.006)


async def test_being_cancelled_cancels_all_three_and_passes_through() -> None:
    entered, cancelled = asyncio.Barrier(4), []

    async def never() -> Answer:
        await entered.wait()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(1)
            raise
        return NOBODY

    service = ScriptedService(extraction=never, question=never, expansion=never)
    turn = asyncio.create_task(analyzer(service).analyze(BEFORE, TURN, HISTORY))
    await asyncio.wait_for(entered.wait(), PATIENCE_S)
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn
    assert len(cancelled) == 3


async def test_a_defect_is_raised_as_itself_and_not_taken_for_a_model_failure() -> None:
    async def broken() -> Answer:
        raise RuntimeError("a defect")

    with pytest.raises(RuntimeError, match="a defect"):
        await analysed(ScriptedService(question=broken))


async def test_what_a_model_returns_goes_through_the_guardrails() -> None:
    service = ScriptedService(
        extraction={
            **NOTHING,
            "need": {"value": "speed", "confidence": 0.9, "evidence": [{"turn": 1, "quote": "never said"}]},
        },
        expansion={"people": [{"mentioned_name_or_role": "Per Lund"}]},
    )
    analysis = await analysed(service)
    assert {change.rule for change in analysis.changes} == {"ungrounded_evidence", "known_contact"}
    assert analysis.extraction.found.bant.need.confidence == pytest.approx(0.4)
    assert analysis.raw.extraction.found.bant.need.confidence == pytest.approx(0.9)
    assert analysis.expansion.triggers == ()
    assert len(analysis.raw.expansion.triggers) == 1


async def test_only_the_question_depends_on_what_was_carried() -> None:
    """So that a recording made for one state of a turn serves extraction and people in every other."""
    carried = memory.put(
        BEFORE.model_copy(
            update={"qualification": qualification_from({Dimension.BUDGET: signal("30k", 0.7)}), "interaction_count": 9}
        ),
        question=recommendation().suggested_question,
    )
    first, second = ScriptedService(), ScriptedService()
    await analysed(first)
    await analysed(second, carried)
    same = {name: first.requests[name].messages == second.requests[name].messages for name in first.requests}
    assert same == {"extraction": True, "question": False, "expansion": True}


async def test_the_rules_analyzer_is_the_rules_and_the_guardrails() -> None:
    rules: Analyzer = RulesAnalyzer()
    analysis = await rules.analyze(BEFORE, TURN, HISTORY)
    assert analysis == guard(BEFORE, TURN, HISTORY, analyze_by_rules(BEFORE, TURN, HISTORY))
    assert {source.label for source in analysis.sources.values()} == {"rules"}


def test_importing_what_asks_imports_no_model_library() -> None:
    code = (
        "import sys, engine.analyzers, engine.qualification, engine.qbs, engine.expansion\n"
        "print(*sorted({'litellm', 'instructor', 'openai', 'streamlit', 'pandas', 'duckdb'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
