"""One answer of a turn by one prompt: the rest of the analysis is what the labels say, and costs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.advance import advance
from engine.errors import InputError
from engine.expansion import AccountExpansionDetector
from engine.guardrails import guard
from engine.model.analysis import Analysis, Source
from engine.model.context import ConversationContext
from engine.prompts import ANALYSIS_PROMPTS, Prompt, PromptLibrary
from engine.qbs import QBSQuestionEngine
from engine.qualification import QualificationExtractor
from evals.records import Failure, TurnRecord
from evals.tuning.search_turns import SearchTurn

if TYPE_CHECKING:
    from engine.llm.service import ModelService

CALLS_A_TURN = len(ANALYSIS_PROMPTS)  # of a whole analysis


def check_searchable(name: str) -> None:
    """Raises InputError for a prompt whose answers no label judges."""
    if name not in ANALYSIS_PROMPTS:
        raise InputError(f"{name!r} cannot be searched for: labels judge the answers of {', '.join(ANALYSIS_PROMPTS)}")


@dataclass(frozen=True)
class PartAnswers:
    """Asks for the answers of one prompt. `models` are by the role that a prompt file names."""

    service: ModelService
    library: PromptLibrary
    models: Mapping[str | None, str]
    deadline_s: float

    async def answer(self, prompt: Prompt, example: SearchTurn) -> TurnRecord:
        """The example answered by `prompt`, through the guardrails and folded as a replay does it.

        A model failure is a fallback, as in a replay. Raises PromptError if the prompt cannot be filled in.
        """
        turn = example.conversation.turns[example.gold.turn]
        history, before = example.conversation.before(turn.index), example.gold.before
        raw = await self._raw(prompt, example)
        analysis = guard(before, turn, history, raw)
        return example.gold.model_copy(update={"result": analysis, "after": advance(before, turn, analysis)})

    async def _raw(self, prompt: Prompt, example: SearchTurn) -> Analysis:
        gold = example.gold.result
        if isinstance(gold, Failure):
            raise InputError(f"the labels of {example.conversation.id} cannot be folded at turn {example.gold.turn}")
        context = ConversationContext.of_state(example.gold.before)
        turn = example.conversation.turns[example.gold.turn]
        history, library = example.conversation.before(turn.index), self.library.using(prompt)
        model, seconds = self.models[prompt.head.model_role], self.deadline_s
        rest = gold.model_copy(update={"guarded": False})
        match prompt.name:
            case "extraction":
                extractor = QualificationExtractor(self.service, library, model, deadline_s=seconds)
                return rest.model_copy(update={"extraction": await extractor.extract(context, turn, history)})
            case "question":
                questions = QBSQuestionEngine(self.service, library, model, deadline_s=seconds)
                asked = await questions.recommend(example.gold.before, turn, history)
                return rest.model_copy(update={"question": asked})
            case _:
                people = AccountExpansionDetector(self.service, library, model, deadline_s=seconds)
                return rest.model_copy(update={"expansion": await people.detect(context, turn, history)})


def source_of(record: TurnRecord, name: str) -> Source | None:
    """Where the answer of a prompt came from; None for a turn that failed."""
    return None if isinstance(record.result, Failure) else record.result.sources[name]
