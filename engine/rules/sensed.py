"""What was sensed in one turn: engagement, problems, depth, topic, and the dimensions it spoke of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine import memory
from engine.model.qbs import EngagementSignal, PainDepthLevel, PainFunnelState
from engine.model.qualification import AnySignal, Dimension
from engine.pain import PainDepthTracker, sense
from engine.rules.depth import Problem, depth
from engine.rules.dimensions import find_signals
from engine.rules.engagement import asks_about_the_offer, engagement, leaves
from engine.rules.heard import Heard
from engine.rules.topic import topic_of


@dataclass(frozen=True, slots=True)
class Sensed:
    """What was sensed in one turn; `sense_turn` makes it.

    `depth` is that of this message, `pain` the funnel with the customer's reaction taken in, `gaps` what is missing
    with this turn, `leaving` whether the customer has to go, `questions_asked` the fingerprints of earlier questions.
    """

    heard: Heard
    engagement: EngagementSignal
    depth: PainDepthLevel
    pain: PainFunnelState
    backing_off: bool
    topic: str | None
    found: Mapping[Dimension, AnySignal]
    gaps: tuple[Dimension, ...]
    leaving: bool
    asks_about_the_offer: bool
    questions_asked: frozenset[str]

    @property
    def problems(self) -> tuple[Problem, ...]:
        return self.heard.problems

    @property
    def interaction(self) -> int:
        """How many customer messages came before this one."""
        return self.heard.state.interaction_count

    def confidence_in(self, dimension: Dimension) -> float:
        """How well a dimension is known, this turn included."""
        now = self.found.get(dimension)
        return max(self.heard.known[dimension].confidence, now.confidence if now else 0.0)


def sense_turn(heard: Heard) -> Sensed:
    """Everything that the choice of a question needs to know of a turn."""
    signal = engagement(heard)
    reached = depth(heard.sentences, heard.problems, heard.emotion)
    before = PainDepthTracker.load(heard.state)
    pain = sense(before, signal, reached)
    found = find_signals(heard)
    return Sensed(
        heard=heard,
        engagement=signal,
        depth=reached,
        pain=pain,
        backing_off=PainDepthTracker.should_back_off(pain),
        topic=topic_of(heard.problems, before, heard.sentences),
        found=found,
        gaps=tuple(d for d, known in heard.known.items() if d not in found and not known.identified),
        leaving=leaves(heard),
        asks_about_the_offer=asks_about_the_offer(heard),
        questions_asked=memory.asked(heard.state),
    )
