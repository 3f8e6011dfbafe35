"""Question Based Selling: the recommendation, how deep the pain goes, and who else was mentioned."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from engine.model.qualification import Dimension, Evidence
from engine.model.value import Probability, Value


class QBSQuestionType(StrEnum):
    """What a question is for."""

    PAIN_FUNNEL = "pain_funnel"  # surface -> business impact -> emotional
    IMPACT = "impact"  # the consequences of a pain already named
    SOLUTION = "solution"  # ties an established need to a capability
    CONFIRMATION = "confirmation"  # checks understanding, earns a small commitment

    @property
    def probes(self) -> bool:
        """Whether it digs into the customer's pain; what is not allowed while backing off."""
        return self in (QBSQuestionType.PAIN_FUNNEL, QBSQuestionType.IMPACT)


class PainDepthLevel(StrEnum):
    """How deep the customer has gone. Ordered; only moves forward."""

    NOT_EXPLORED = "not_explored"
    SURFACE = "surface"
    BUSINESS_IMPACT = "business_impact"
    EMOTIONAL = "emotional"

    @property
    def rank(self) -> int:
        """0 for not explored to 3 for emotional."""
        return _DEPTH_RANK[self]

    def at_least(self, other: PainDepthLevel) -> PainDepthLevel:
        """The deeper of the two."""
        return self if self.rank >= other.rank else other


_DEPTH_RANK = {level: rank for rank, level in enumerate(PainDepthLevel)}


class EngagementSignal(StrEnum):
    """Where the customer's energy is in the latest message."""

    HIGH_ENERGY = "high_energy"
    FACTUAL = "factual"
    RESISTANT = "resistant"
    TOPIC_SHIFT = "topic_shift"
    EMOTIONAL_LANGUAGE = "emotional_language"

    @property
    def engaged(self) -> bool:
        """Whether it ends a back-off."""
        return self in (EngagementSignal.HIGH_ENERGY, EngagementSignal.EMOTIONAL_LANGUAGE)


class VossDelivery(StrEnum):
    """How a question is delivered (after Chris Voss)."""

    MIRROR = "mirror"  # repeat the customer's last few words
    LABEL = "label"  # name what the customer seems to feel or see
    CALIBRATED_QUESTION = "calibrated_question"  # an open how or what
    ACCUSATION_AUDIT = "accusation_audit"  # say first what the customer may hold against us


class QBSQuestionRecommendation(Value):
    """The question to ask next, and what was sensed in choosing it.

    `confidence` is the engine's own probability that the customer will answer it with substance.
    `topic` is the pain it is about, in a few words, where there is one.
    """

    question_type: QBSQuestionType
    meddic_bant_target: Dimension
    voss_delivery: VossDelivery
    suggested_question: str
    rationale: str = ""
    information_gaps: tuple[Dimension, ...] = ()
    engagement_signal: EngagementSignal = EngagementSignal.FACTUAL
    pain_depth: PainDepthLevel = PainDepthLevel.NOT_EXPLORED
    should_probe_deeper: bool = False
    natural_stopping_signals: tuple[str, ...] = ()
    confidence: Probability = 0.5
    topic: str | None = None

    @property
    def probe_key(self) -> str:
        return f"{self.question_type}:{self.meddic_bant_target}"


class Urgency(StrEnum):
    """When to ask for an introduction to somebody newly mentioned."""

    IMMEDIATE = "immediate"
    NEXT_CONVERSATION = "next_conversation"
    AFTER_TRUST_BUILDS = "after_trust_builds"


class ExpansionTrigger(Value):
    """A person, team or role that the customer mentioned and that we do not know yet."""

    mentioned_name_or_role: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    context_quote: str = ""
    relationship_to_contact: str = ""
    expansion_approach: str = ""
    urgency: Urgency = Urgency.NEXT_CONVERSATION


class PainTopic(Value):
    """One pain, as deep as it was explored.

    `probes` counts the questions asked about it; `last_probed_at` is the interaction count when it was named
    or last asked about.
    """

    name: str
    depth: PainDepthLevel = PainDepthLevel.SURFACE
    evidence: tuple[Evidence, ...] = ()
    probes: int = 0
    last_probed_at: int = 0


class PainFunnelState(Value):
    """How far the pain has been explored, kept in `metadata["qbs"]["pain_state"]`.

    `probe_count` counts the questions in a row with the key `probe_key` (`{question_type}:{target}`). `probes` counts
    the probing questions in a row about `probed` (a topic, or the key where no topic was named), and `opened_up` says
    whether the customer elaborated unasked or showed emotion on it.
    """

    version: Literal[1] = 1
    depth: PainDepthLevel = PainDepthLevel.NOT_EXPLORED
    topics: tuple[PainTopic, ...] = ()
    active_topic: str | None = None
    probe_key: str | None = None
    probe_count: int = 0
    probed: str | None = None
    probes: int = 0
    opened_up: bool = False
    self_elaborations: int = 0
    emotional_recognitions: int = 0
    resistances: int = 0
    backing_off: bool = False
    revisit_later: tuple[str, ...] = ()
    dropped_topics: int = 0
    dropped_evidence: int = 0

    def topic(self, name: str | None) -> PainTopic | None:
        return next((topic for topic in self.topics if topic.name == name), None)


class ExpansionEntry(Value):
    """A trigger as it is remembered: when it was first and last seen (interaction counts), whether contacted."""

    trigger: ExpansionTrigger
    first_seen: int = 0
    last_seen: int = 0
    mentions: int = 1
    contacted: bool = False


class ExpansionState(Value):
    """People mentioned and not yet known, kept in `metadata["qbs"]["expansion"]`."""

    version: Literal[1] = 1
    entries: tuple[ExpansionEntry, ...] = Field(default=())
    dropped: int = 0
