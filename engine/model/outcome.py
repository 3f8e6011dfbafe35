"""What is recorded about a recommendation, what happened after it, and where that leaves it."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, Field

from engine.model.analysis import FallbackReason, GuardrailRule
from engine.model.conversation import Channel, DealStage, Persona
from engine.model.qbs import EngagementSignal, PainDepthLevel, QBSQuestionType, VossDelivery
from engine.model.qualification import Dimension
from engine.model.value import Probability, Value


class OutcomeType(StrEnum):
    """What a recommendation is watched for."""

    EMAIL_ENGAGEMENT = "email_engagement"  # the customer replies
    DEAL_PROGRESSION = "deal_progression"  # the deal moves to a further stage

    @property
    def window(self) -> timedelta:
        """How long after the recommendation it still counts; its last moment is inside."""
        return _WINDOWS[self]


_WINDOWS = {OutcomeType.EMAIL_ENGAGEMENT: timedelta(hours=24), OutcomeType.DEAL_PROGRESSION: timedelta(days=30)}


class EventKind(StrEnum):
    """What happened to an outcome, as a fact that is added and never changed."""

    POSITIVE = "positive"  # inside the window
    NEGATIVE = "negative"  # the window closed and nothing had happened
    LATE = "late"  # a reply after the window
    SENT = "sent"
    NOT_SENT = "not_sent"


class OutcomeStatus(StrEnum):
    """Where an outcome stands, derived from its facts by `engine.outcomes.standing`."""

    PENDING = "pending"  # the window is open, or nobody has looked since it closed
    POSITIVE = "positive"
    NEGATIVE = "negative"
    LATE = "late"  # a reply, but after the window: inside it there was none
    SUPERSEDED = "superseded"  # a newer question took its place before anything came of it
    NOT_SENT = "not_sent"  # the customer never saw it

    @property
    def resolved(self) -> bool:
        """Whether it counts in a rate: of these, the positive ones are the successes."""
        return self in (OutcomeStatus.POSITIVE, OutcomeStatus.NEGATIVE, OutcomeStatus.LATE)


class OfferedChoice(Value):
    """A question that could have been recommended, and how probable that was."""

    question_type: QBSQuestionType
    target: Dimension
    delivery: VossDelivery
    probability: float = Field(gt=0, le=1)


class OutcomeDetails(Value):
    """What was known when the recommendation was made: everything that rates and calibration are split by.

    `interaction_count` counts the message that was answered, whose index is `turn`. `model` and `prompt` are those
    that were asked; where `fallback_reason` is set, the rules answered in their place and `analyzer` says `rules`.
    `guardrails` are the rules that changed the question: one that took another's place has the confidence of a question
    that nobody estimated. `propensity` is the probability with which this recommendation was chosen, None if the
    choice was not random; `choices` are all that it was chosen from, the usual one first, where that is known: what
    another way of choosing would have done can only be told with them. `calibrated_confidence` is what was reported
    under the calibration of that version, both None if none was in use.
    """

    target: Dimension
    delivery: VossDelivery
    engagement: EngagementSignal
    pain_depth: PainDepthLevel
    stage: DealStage
    persona: Persona
    interaction_count: int = Field(ge=0)
    turn: int = Field(ge=0)
    channel: Channel | None = None
    analyzer: str
    model: str | None = None
    prompt: str | None = None
    fallback_reason: FallbackReason | None = None
    guardrails: tuple[GuardrailRule, ...] = ()
    propensity: float | None = Field(default=None, gt=0, le=1)
    choices: tuple[OfferedChoice, ...] = Field(default=(), exclude_if=lambda choices: not choices)
    calibration: str | None = None
    calibrated_confidence: Probability | None = None


class Outcome(Value):
    """A recommendation that was made, and until when something that happens counts for it.

    `predicted_confidence` is the engine's own, before any calibration: it is what gets calibrated.
    """

    outcome_id: UUID
    state_id: UUID
    action_type: str  # qbs_<question_type>
    outcome_type: OutcomeType
    predicted_confidence: Probability
    recommended_at: AwareDatetime
    closes_at: AwareDatetime
    recorded_at: AwareDatetime
    details: OutcomeDetails


class OutcomeEvent(Value):
    """Something that happened, or a correction: then it takes the place of the event that it `supersedes`.

    `occurred_at` is when it happened, `recorded_at` when it became known here.
    """

    event_id: UUID
    outcome_id: UUID
    kind: EventKind
    occurred_at: AwareDatetime
    recorded_at: AwareDatetime
    idempotency_key: str
    supersedes: UUID | None = None
    details: dict[str, Any] = Field(default_factory=dict)


class StandingOutcome(Value):
    """An outcome with where it stands. `happened_at` is when the reply or the progress came, early or late.

    `sent` is None if nobody has said whether it was sent: it then counts as sent.
    """

    outcome: Outcome
    account_id: str
    contact_id: str
    status: OutcomeStatus
    happened_at: AwareDatetime | None = None
    sent: bool | None = None


class OutcomeCount(Value):
    """How many outcomes of an action stand where."""

    outcome_type: OutcomeType
    action_type: str
    status: OutcomeStatus
    count: int


class OutcomeCursor(Value):
    """Where a page of outcomes ends: the next one begins after this one."""

    recommended_at: datetime
    outcome_id: UUID


class OutcomePage(Value):
    """Some outcomes, the newest recommendation first; `next` leads to what follows, None if nothing does."""

    outcomes: tuple[StandingOutcome, ...]
    next: OutcomeCursor | None
