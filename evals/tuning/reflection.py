"""Asking a model for a better section of a prompt, from turns that were answered with it and what is right there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints

from engine.llm.reply import Reply
from engine.llm.service import ModelRequest
from engine.prompts import Prompt, PromptLibrary, render_recent_turns
from engine.prompts.transcript import harmless
from evals.metrics.metric import Metric
from evals.records import Failure, TurnRecord
from evals.tuning.search_turns import SearchTurn
from evals.tuning.sections import sections_of
from evals.tuning.turn_scores import TurnScore

if TYPE_CHECKING:
    from engine.llm.service import ModelService

PROMPTS = Path(__file__).parent / "prompts"
SECONDS = 180.0  # nobody waits for a proposal
MAX_ANSWER_CHARACTERS = 6_000
MOST_REFUSED = 5


@dataclass(frozen=True, slots=True)
class Tried:
    """An example as a prompt answered it."""

    example: SearchTurn
    record: TurnRecord
    score: TurnScore


@dataclass(frozen=True)
class Reflection:
    """Asks `model` for rewritten sections. Never raises anything but ModelCallError for a model failure."""

    service: ModelService
    model: str
    metrics: tuple[Metric, ...]

    async def rewrite(
        self, prompt: Prompt, section: str, tried: Sequence[Tried], refused: Sequence[str], number: int
    ) -> str:
        """The section anew. `number` tells proposals apart: each is really asked for, and found again on a repeat.

        Raises ModelCallError with the reason.
        """
        reply = await self.service.ask(self._request(prompt, section, tried, refused, number), deadline=SECONDS)
        return reply.value.text

    def _request(
        self, prompt: Prompt, section: str, tried: Sequence[Tried], refused: Sequence[str], number: int
    ) -> ModelRequest[_Rewritten]:
        asked = PromptLibrary(shipped=PROMPTS).load("reflection")
        used = prompt.sections[section].variables
        return ModelRequest(
            purpose="reflection",
            model=self.model,
            messages=asked.render(
                purpose=prompt.head.description,
                section=section,
                current=sections_of(prompt)[section],
                variables="\n".join(f"- {{{{ {name} }}}}: {prompt.variables[name]}" for name in used),
                measures="\n".join(f"- {own.title}: {own.formula}; {own.direction} is better" for own in self.metrics),
                examples="\n\n".join(_shown(number, own, prompt.name) for number, own in enumerate(tried, start=1)),
                refused="\n".join(f"- {reason}" for reason in refused[-MOST_REFUSED:]),
            ),
            reply=_Rewritten,
            prompt=asked.ref,
            temperature=asked.head.temperature,
            max_tokens=asked.head.max_tokens,
            sample=number,
        )


def _shown(number: int, tried: Tried, name: str) -> str:
    """One example: the conversation up to the turn, what was answered, what is right, and the scores."""
    example, turn = tried.example, tried.example.gold.turn
    conversation = example.conversation
    scores = ", ".join(
        f"{metric} {'not judged' if value is None else f'{value:.2f}'}"
        for metric, value in tried.score.by_metric.items()
    )
    return "\n".join(
        (
            f"# Example {number}: turn {turn} is the latest message",
            render_recent_turns((*conversation.before(turn), conversation.turns[turn])),
            f"Answered: {_answer(tried.record, name)}",
            f"People say: {_right(example, name)}",
            f"Scores, from 0 to 1: {scores}",
        )
    )


def _answer(record: TurnRecord, name: str) -> str:
    if isinstance(record.result, Failure):
        return "nothing: the turn failed"
    raw = record.result.raw
    if raw.sources[name].is_fallback:
        return f"nothing of use ({raw.sources[name].fallback_reason})"
    match name:
        case "extraction":
            found = {key.value: raw.extraction.found.signal(key) for key in raw.extraction.found.identified}
            return _flat({key: signal.model_dump(mode="json") for key, signal in found.items()})
        case "question":
            return _flat(raw.question.recommendation.model_dump(mode="json"))
        case _:
            return _flat([trigger.model_dump(mode="json") for trigger in raw.expansion.triggers])


def _right(example: SearchTurn, name: str) -> str:
    label = example.label.model_dump(mode="json")
    match name:
        case "extraction":
            return _flat({"said in this turn": label["dimensions"]})
        case "question":
            return _flat({key: label[key] for key in ("engagement", "pain_depth", "back_off", "question_types")})
        case _:
            return _flat(label["people"])


def _flat(value: Any) -> str:
    """On one line, without tags: what was said must open nothing."""
    return harmless(json.dumps(value, ensure_ascii=False))[:MAX_ANSWER_CHARACTERS]


class _Rewritten(Reply):
    """The section of the prompt, written anew."""

    model_config = ConfigDict(title="RewrittenSection")

    reason: str = Field(default="", description="What the wrong answers have in common, in one or two sentences.")
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)] = Field(
        description="The whole section anew, with every variable and condition that it had."
    )
