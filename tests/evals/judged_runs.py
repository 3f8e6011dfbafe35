"""A small run and a judge that answers from a script, for the tests of judging."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from engine.errors import ModelCallError
from engine.llm.service import ModelReply, ModelRequest
from engine.model.analysis import FallbackReason, Source
from engine.model.conversation import Conversation
from evals.judgements import Judgement
from evals.ratings import QuestionRating
from evals.runner import run
from evals.runs.folder import RunFolder
from tests.evals.values import FakeAnalyzer, conversation, manifest

MODEL = "openai/judge"
RUBRIC = "judgement@12345678"
TALKS = (conversation("alpha", 3), conversation("beta", 3, account="Betamax"))
QUESTIONS = 6

Answer = tuple[int, int] | FallbackReason  # naturalness and value first
Script = Callable[[ModelRequest[Any]], Awaitable[Answer]]


class ScriptedJudge:
    """Stands for a model service. Answers by `script`, always (3, 2) if there is none, and keeps what it was asked."""

    def __init__(self, script: Script | None = None) -> None:
        self.requests: list[ModelRequest[Any]] = []
        self._script = script

    async def ask(self, request: ModelRequest[Any], *, deadline: float) -> ModelReply[Any]:
        self.requests.append(request)
        answer = await self._script(request) if self._script else (3, 2)
        if isinstance(answer, FallbackReason):
            raise ModelCallError(self._source(request, answer))
        naturalness, value_first = answer
        reply = {"reason": 'It says\n"this".', "naturalness": naturalness, "value_first": value_first}
        return ModelReply(request.reply.model_validate_json(json.dumps(reply)), self._source(request))

    @property
    def asked(self) -> list[tuple[str, int]]:
        """The user message and the repeat of every request."""
        return [(request.messages[-1]["content"], request.sample) for request in self.requests]

    @staticmethod
    def _source(request: ModelRequest[Any], reason: FallbackReason | None = None) -> Source:
        kind, attempts = ("rules", 0 if reason in _NOT_SENT else 1) if reason else ("llm", 1)
        cost = 0.001 if attempts else 0.0
        return Source(
            kind=kind,
            model=request.model,
            prompt=request.prompt,
            fallback_reason=reason,
            attempts=attempts,
            cost_usd=cost,
        )


_NOT_SENT = (FallbackReason.LIMIT_REACHED, FallbackReason.CIRCUIT_OPEN, FallbackReason.NO_RECORDING)


async def finished_run(runs: Path, *talks: Conversation, **fields: Any) -> RunFolder:
    """A complete run below `runs`, over `TALKS` if nothing else is said."""
    talks = talks or TALKS
    folder = RunFolder.create(runs, manifest(*talks, **fields))
    await run(folder, talks, lambda talk, sample: FakeAnalyzer())
    return folder


def judgement(
    naturalness: int = 3,
    value_first: int = 2,
    *,
    of: tuple[str, int, str] = ("alpha", 1, "What does that cost you?"),
    repeat: int = 0,
    model: str = MODEL,
    rubric: str = RUBRIC,
) -> Judgement:
    conversation_id, turn, question = of
    return Judgement(
        conversation_id=conversation_id,
        turn=turn,
        question=question,
        repeat=repeat,
        naturalness=naturalness,
        value_first=value_first,
        source=Source(kind="llm", model=model, prompt=rubric, attempts=1, cost_usd=0.001),
    )


def rating(
    naturalness: int | None = 3,
    value_first: int | None = None,
    *,
    of: tuple[str, int, str] = ("alpha", 1, "What does that cost you?"),
    rater: str = "ines",
) -> QuestionRating:
    conversation_id, turn, question = of
    return QuestionRating(
        conversation_id=conversation_id,
        turn=turn,
        question=question,
        rater=rater,
        naturalness=naturalness,
        value_first=value_first,
    )
