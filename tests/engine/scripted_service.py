"""A model service that answers from a script: the double that the asking modules are tested with."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from engine.errors import ModelCallError
from engine.llm.service import ModelReply, ModelRequest
from engine.model.analysis import FallbackReason, Source

Answer = dict[str, Any] | FallbackReason
Script = Answer | Callable[[], Awaitable[Answer]]

NOBODY: Answer = {"people": []}
NOTHING: Answer = {"budget": None, "key_insights": [], "recommended_next_questions": []}
ASK: Answer = {
    "engagement_signal": "factual",
    "pain_depth": "surface",
    "should_probe_deeper": True,
    "question_type": "impact",
    "meddic_bant_target": "metrics",
    "voss_delivery": "label",
    "suggested_question": "It sounds like nights are the worst. What does one stop cost you?",
    "confidence": 0.65,
}
REPLY: Answer = {"text": "Nights sound rough. What does one stop cost you?"}


class ScriptedService:
    """Answers each purpose with a reply, fails for a reason, or first waits for what the script waits for.

    A reply that the schema refuses raises pydantic's ValidationError, which a real service answers by asking again.
    """

    def __init__(
        self,
        *,
        extraction: Script = NOTHING,
        question: Script = ASK,
        expansion: Script = NOBODY,
        draft: Script = REPLY,
    ) -> None:
        self._scripts = {"extraction": extraction, "question": question, "expansion": expansion, "draft": draft}
        self.requests: dict[str, ModelRequest[Any]] = {}
        self.deadlines: list[float] = []

    async def ask(self, request: ModelRequest[Any], *, deadline: float) -> ModelReply[Any]:
        self.requests[request.purpose] = request
        self.deadlines.append(deadline)
        script = self._scripts[request.purpose]
        answer = await script() if callable(script) else script
        if isinstance(answer, FallbackReason):
            raise ModelCallError(self._source(request, answer))
        return ModelReply(value=request.reply.model_validate_json(json.dumps(answer)), source=self._source(request))

    @staticmethod
    def _source(request: ModelRequest[Any], reason: FallbackReason | None = None) -> Source:
        return Source(
            kind="rules" if reason else "llm",
            model=request.model,
            prompt=request.prompt,
            fallback_reason=reason,
            latency_ms=120.0,
            tokens_in=900,
            tokens_out=80,
            cost_usd=0.002,
            attempts=2 if reason else 1,
        )
