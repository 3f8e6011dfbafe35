"""What was concluded from one customer turn, and where each conclusion came from."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from engine.model.qbs import ExpansionTrigger, QBSQuestionRecommendation
from engine.model.qualification import QualificationState
from engine.model.value import Value


class FallbackReason(StrEnum):
    """Why a model's answer was not used and the rules answered instead."""

    NO_RECORDING = "no_recording"  # recorded mode, and the store has no answer to this request
    DEADLINE = "deadline"  # our own limit for the turn
    TIMEOUT = "timeout"  # the provider did not answer in time
    CONNECTION = "connection"  # nobody there, or the connection broke
    SERVER_ERROR = "server_error"  # 5xx
    RATE_LIMITED = "rate_limited"  # 429
    QUOTA_EXHAUSTED = "quota_exhausted"  # 429 insufficient_quota: waiting does not help
    NOT_AUTHORISED = "not_authorised"  # 401, 403
    MODEL_NOT_FOUND = "model_not_found"  # 404
    BAD_REQUEST = "bad_request"  # 400
    CONTENT_POLICY = "content_policy"  # the provider refused the request
    CONTEXT_TOO_LONG = "context_too_long"  # more than the model reads, even trimmed
    TRUNCATED = "truncated"  # the answer was cut at max_tokens, twice
    INVALID_REPLY = "invalid_reply"  # broken JSON, wrong schema, NaN
    REFUSED = "refused"  # a refusal, nothing, or prose instead of the structured answer
    EMPTY_REPLY = "empty_reply"  # no choices
    CIRCUIT_OPEN = "circuit_open"  # the provider failed so often that it is not asked for a while
    LIMIT_REACHED = "limit_reached"  # the run's limit of calls, tokens, money or time
    UNEXPECTED = "unexpected"  # anything else; the log has class and code


class Source(Value):
    """Where a conclusion came from.

    `latency_ms` is None where it was not measured (a recording whose latency says nothing); tokens and cost
    include every attempt, also the failed ones; `cost_usd` is None where no price is known.
    If `fallback_reason` is set, the rules answered in the place of `model`.
    """

    kind: Literal["llm", "recorded", "rules", "labels"]  # labels: what people said, in judging only
    model: str | None = None
    prompt: str | None = None  # name@hash
    fallback_reason: FallbackReason | None = None
    latency_ms: float | None = Field(default=None, ge=0)
    tokens_in: int = Field(default=0, ge=0)
    tokens_out: int = Field(default=0, ge=0)
    cost_usd: float | None = Field(default=None, ge=0)
    attempts: int = Field(default=0, ge=0)

    @property
    def is_fallback(self) -> bool:
        return self.fallback_reason is not None

    @property
    def label(self) -> str:
        """`llm`, `recorded`, `rules` or `labels`, and the reason if it is a fallback."""
        return f"{self.kind} ({self.fallback_reason})" if self.fallback_reason else self.kind


GuardrailRule = Literal[
    "ungrounded_evidence",  # no quote is found in a customer turn: confidence capped
    "addresses_the_machine",  # the quoted message instructs the machine: confidence capped
    "back_off",  # no probing now
    "emotional_depth",  # too early to ask about feelings
    "one_question",  # the rest was trimmed
    "jargon",  # the methodology's words
    "repeated_question",  # asked before in this conversation
    "known_contact",  # left out
    "too_early",  # an introduction that trust does not allow yet
    "value_first",  # a draft opened with its question
    "placeholder",  # a draft left something to be filled in
    "too_long",  # a draft was longer than its channel bears
]


class GuardrailChange(Value):
    """One thing that a guardrail changed: which rule, on what, from what, to what, and why."""

    rule: GuardrailRule
    subject: str
    before: str
    after: str
    reason: str


class Extraction(Value):
    """The signals that one turn's extraction found. Empty after a failure, so that merging changes nothing."""

    found: QualificationState = QualificationState()
    source: Source


class Question(Value):
    """The recommended question. After the guardrails, `proposed` keeps what they changed; else it is None."""

    recommendation: QBSQuestionRecommendation
    source: Source
    proposed: QBSQuestionRecommendation | None = None


class Expansion(Value):
    triggers: tuple[ExpansionTrigger, ...] = ()
    source: Source


class Analysis(Value):
    """What was concluded from one customer turn.

    An analyzer returns it raw; `engine.guardrails.guard` returns what may be used: `guarded` is then true,
    `changes` says what was changed, and `raw_found` and `raw_triggers` keep the originals that were.
    """

    extraction: Extraction
    question: Question
    expansion: Expansion
    guarded: bool = False
    changes: tuple[GuardrailChange, ...] = ()
    raw_found: QualificationState | None = None
    raw_triggers: tuple[ExpansionTrigger, ...] | None = None

    @property
    def raw(self) -> Analysis:
        """The analysis as the analyzer made it, before any guardrail."""
        if not self.guarded:
            return self
        found = self.extraction.found if self.raw_found is None else self.raw_found
        proposed = self.question.proposed or self.question.recommendation
        triggers = self.expansion.triggers if self.raw_triggers is None else self.raw_triggers
        return Analysis(
            extraction=self.extraction.model_copy(update={"found": found}),
            question=Question(recommendation=proposed, source=self.question.source),
            expansion=self.expansion.model_copy(update={"triggers": triggers}),
        )

    @property
    def sources(self) -> dict[str, Source]:
        return {
            "extraction": self.extraction.source,
            "question": self.question.source,
            "expansion": self.expansion.source,
        }

    @property
    def cost_usd(self) -> float | None:
        """Sum over the three calls; None as soon as one that was asked has no known price."""
        asked = [source for source in self.sources.values() if source.attempts]
        costs = [source.cost_usd for source in asked]
        return None if any(cost is None for cost in costs) else float(sum(cost for cost in costs if cost is not None))

    @property
    def latency_ms(self) -> float | None:
        """The slowest of the three calls, which run side by side; None if none was measured."""
        known = [source.latency_ms for source in self.sources.values() if source.latency_ms is not None]
        return max(known) if known else None
