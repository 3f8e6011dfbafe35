"""What analyses a customer turn: the rules, or a model asked three things side by side under one deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol, TypedDict

from engine.expansion import AccountExpansionDetector
from engine.guardrails import guard
from engine.llm.service import ModelService
from engine.model.analysis import Analysis
from engine.model.context import ConversationContext
from engine.model.conversation import Turn
from engine.model.state import ConversationState
from engine.prompts import PromptLibrary
from engine.qbs import QBSQuestionEngine
from engine.qualification import QualificationExtractor
from engine.rules import analyze_by_rules


class Analyzer(Protocol):
    """Reads one customer turn. Whatever it returns has been through the guardrails."""

    async def analyze(self, state: ConversationState, turn: Turn, history: Sequence[Turn]) -> Analysis:
        """`state` is the state before `turn`, `history` the turns before it, whoever spoke."""
        ...


class RulesAnalyzer:
    """Deterministic and offline: the baseline that every model must beat."""

    async def analyze(self, state: ConversationState, turn: Turn, history: Sequence[Turn]) -> Analysis:
        return guard(state, turn, history, analyze_by_rules(state, turn, history))


class _Options(TypedDict):
    deadline_s: float
    sample: int


class LLMAnalyzer:
    """Asks a model for extraction, question and people at the same time; a turn takes as long as the slowest.

    `deadline_s` bounds the turn in seconds: all three calls start together and each must be over by then. A call
    that fails touches neither of the others and becomes its own labelled fallback: nothing extracted, the
    question of the seed table, nobody mentioned. Which of the two models is asked what, the prompt files say.
    `sample` is the number of the repeat. Raises PromptError at once when a prompt in use cannot be filled in;
    analysing raises nothing on account of a model.
    """

    def __init__(
        self,
        service: ModelService,
        prompts: PromptLibrary,
        reasoning_model: str,
        fast_model: str,
        *,
        deadline_s: float = 8.0,
        sample: int = 0,
    ) -> None:
        models = {"reasoning": reasoning_model, "fast": fast_model, None: fast_model}

        def model(prompt: str) -> str:
            return models[prompts.load(prompt).head.model_role]

        options: _Options = {"deadline_s": deadline_s, "sample": sample}
        self._extractor = QualificationExtractor(service, prompts, model("extraction"), **options)
        self._questions = QBSQuestionEngine(service, prompts, model("question"), **options)
        self._people = AccountExpansionDetector(service, prompts, model("expansion"), **options)

    async def analyze(self, state: ConversationState, turn: Turn, history: Sequence[Turn]) -> Analysis:
        context = ConversationContext.of_state(state)
        try:
            async with asyncio.TaskGroup() as calls:
                extraction = calls.create_task(self._extractor.extract(context, turn, history))
                question = calls.create_task(self._questions.recommend(state, turn, history))
                expansion = calls.create_task(self._people.detect(context, turn, history))
        except ExceptionGroup as defects:  # never a model failure: those are values by now
            raise defects.exceptions[0] from None
        raw = Analysis(extraction=extraction.result(), question=question.result(), expansion=expansion.result())
        return guard(state, turn, history, raw)
