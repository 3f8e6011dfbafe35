"""How deep the pain has been explored, topic by topic, and when to stop probing.

One customer message is handled in two steps: `sense` takes in how the customer reacted to what was asked
before, and `note_question` counts the question that is asked next. `PainDepthTracker.update_from_recommendation`
does both, since a recommendation carries both. Nothing here saves to a database: the caller does.
"""

from __future__ import annotations

from engine import memory
from engine.merge import merge_evidence
from engine.model.qbs import (
    EngagementSignal,
    PainDepthLevel,
    PainFunnelState,
    PainTopic,
    QBSQuestionRecommendation,
)
from engine.model.qualification import Evidence
from engine.model.state import ConversationState

MAX_TOPICS = 10
MAX_EVIDENCE_PER_TOPIC = 3
MAX_QUOTE_CHARACTERS = 160
MAX_NAME_CHARACTERS = 60
MAX_PROBES = 3


class PainDepthTracker:
    """The pain funnel of one conversation. Static: every function takes values and returns new ones."""

    @staticmethod
    def load(state: ConversationState) -> PainFunnelState:
        """The pain state kept in `metadata["qbs"]["pain_state"]`; a fresh one if there is none."""
        return memory.pain(state)

    @staticmethod
    def save(state: ConversationState, pain: PainFunnelState) -> ConversationState:
        """A new conversation state that holds `pain`. Nothing is written anywhere else."""
        return memory.put(state, pain=pain)

    @staticmethod
    def update_from_recommendation(
        pain: PainFunnelState, recommendation: QBSQuestionRecommendation, *, interaction: int = 0
    ) -> PainFunnelState:
        """Take in the sensed reaction, then count the question. `interaction` is the count before this message."""
        sensed = sense(pain, recommendation.engagement_signal, recommendation.pain_depth)
        return note_question(sensed, recommendation, interaction=interaction)

    @staticmethod
    def add_pain_topic(
        pain: PainFunnelState,
        name: str,
        *,
        depth: PainDepthLevel = PainDepthLevel.SURFACE,
        evidence: tuple[Evidence, ...] = (),
        interaction: int = 0,
    ) -> PainFunnelState:
        """Name a pain or add to it: depth only deepens, evidence accumulates (the newest quotes are kept).

        Beyond `MAX_TOPICS` the topic with the oldest `last_probed_at` goes, and is counted.
        """
        name = _shortened(name, MAX_NAME_CHARACTERS)
        known = _same_topic(pain, name)
        topic = known or PainTopic(name=name, depth=depth, last_probed_at=interaction)
        merged = merge_evidence(topic.evidence, tuple(_short_evidence(item) for item in evidence))
        kept = merged[-MAX_EVIDENCE_PER_TOPIC:]
        updated = topic.model_copy(update={"depth": topic.depth.at_least(depth), "evidence": kept})
        others = [item for item in pain.topics if item.name != topic.name]
        return _within_limit(
            pain.model_copy(
                update={
                    "topics": (*others, updated),
                    "depth": pain.depth.at_least(updated.depth),
                    "dropped_evidence": pain.dropped_evidence + len(merged) - len(kept),
                }
            ),
            keep=updated.name,
        )

    @staticmethod
    def should_back_off(pain: PainFunnelState) -> bool:
        """Whether to stop probing: after resistance, or after `MAX_PROBES` on one topic that stayed closed."""
        return pain.backing_off or _probed_in_vain(pain)


def sense(pain: PainFunnelState, engagement: EngagementSignal, depth: PainDepthLevel) -> PainFunnelState:
    """Take in how the customer reacted to the question before, and how deep the message went.

    Opening up (high energy or emotional language) counts for the topic that was being probed, and ends a
    back-off; resistance, or a third probe in vain, begins one and puts the topic on `revisit_later`.
    """
    engaged, resistant = engagement.engaged, engagement is EngagementSignal.RESISTANT
    sensed = pain.model_copy(
        update={
            "depth": pain.depth.at_least(depth),
            "opened_up": pain.opened_up or engaged,
            "backing_off": pain.backing_off and not engaged,
            "self_elaborations": pain.self_elaborations + (engagement is EngagementSignal.HIGH_ENERGY),
            "emotional_recognitions": pain.emotional_recognitions + (engagement is EngagementSignal.EMOTIONAL_LANGUAGE),
            "resistances": pain.resistances + resistant,
        }
    )
    return _begin_back_off(sensed) if resistant or _probed_in_vain(sensed) else sensed


def note_question(
    pain: PainFunnelState, recommendation: QBSQuestionRecommendation, *, interaction: int = 0
) -> PainFunnelState:
    """Count the question that is asked next: on its key, and if it probes, on what it is about."""
    same_key = recommendation.probe_key == pain.probe_key
    counted = pain.model_copy(
        update={
            "probe_key": recommendation.probe_key,
            "probe_count": pain.probe_count + 1 if same_key else 1,
        }
    )
    if not recommendation.question_type.probes:
        return counted
    about = recommendation.topic or recommendation.probe_key
    same = pain.probed is not None and _is_same(pain.probed, about)
    probed = counted.model_copy(
        update={
            "probed": _shortened(about, MAX_NAME_CHARACTERS),
            "probes": pain.probes + 1 if same else 1,
            "opened_up": pain.opened_up and same,
        }
    )
    return _note_topic(probed, recommendation.topic, interaction) if recommendation.topic else probed


def _note_topic(pain: PainFunnelState, name: str, interaction: int) -> PainFunnelState:
    with_topic = PainDepthTracker.add_pain_topic(pain, name, interaction=interaction)
    topic = _same_topic(with_topic, name)
    if topic is None:
        return with_topic
    probed = topic.model_copy(update={"probes": topic.probes + 1, "last_probed_at": interaction})
    return with_topic.model_copy(
        update={
            "topics": tuple(probed if item.name == topic.name else item for item in with_topic.topics),
            "active_topic": topic.name,
            "revisit_later": tuple(name for name in with_topic.revisit_later if name != topic.name),
        }
    )


def _begin_back_off(pain: PainFunnelState) -> PainFunnelState:
    left = pain.active_topic or (pain.probe_key.partition(":")[2] if pain.probe_key else None)
    later = pain.revisit_later if left is None or left in pain.revisit_later else (*pain.revisit_later, left)
    return pain.model_copy(update={"backing_off": True, "revisit_later": later[-MAX_TOPICS:]})


def _probed_in_vain(pain: PainFunnelState) -> bool:
    return pain.probes >= MAX_PROBES and not pain.opened_up


def _within_limit(pain: PainFunnelState, *, keep: str) -> PainFunnelState:
    if len(pain.topics) <= MAX_TOPICS:
        return pain
    oldest = min((topic for topic in pain.topics if topic.name != keep), key=lambda topic: topic.last_probed_at)
    return pain.model_copy(
        update={
            "topics": tuple(topic for topic in pain.topics if topic.name != oldest.name),
            "dropped_topics": pain.dropped_topics + 1,
            "active_topic": None if pain.active_topic == oldest.name else pain.active_topic,
        }
    )


def _same_topic(pain: PainFunnelState, name: str) -> PainTopic | None:
    return next((topic for topic in pain.topics if _is_same(topic.name, name)), None)


def _is_same(one: str, other: str) -> bool:
    """Whether two names have the same words, in whatever case, order or punctuation."""
    return memory.words(one) == memory.words(_shortened(other, MAX_NAME_CHARACTERS))


def _shortened(text: str, limit: int) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 1].rstrip() + "…"


def _short_evidence(evidence: Evidence) -> Evidence:
    """The beginning of a long quote, which is still verbatim."""
    if len(evidence.quote) <= MAX_QUOTE_CHARACTERS:
        return evidence
    return evidence.model_copy(update={"quote": evidence.quote[:MAX_QUOTE_CHARACTERS].rstrip()})
