"""Pain is explored to its depth at the customer's pace."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.qbs import EngagementSignal as E
from engine.model.qbs import PainDepthLevel, PainFunnelState, QBSQuestionRecommendation, QBSQuestionType
from engine.model.qualification import Dimension, Evidence
from engine.pain import MAX_EVIDENCE_PER_TOPIC, MAX_TOPICS, PainDepthTracker, sense
from tests.engine.values import recommendation, recommendations, state

FACTUAL, HIGH, RESISTANT, EMOTIONAL, SHIFT = (
    E.FACTUAL,
    E.HIGH_ENERGY,
    E.RESISTANT,
    E.EMOTIONAL_LANGUAGE,
    E.TOPIC_SHIFT,
)


def played(*steps: tuple[E, str]) -> PainFunnelState:
    """A state after messages of this engagement, each followed by a question about this topic."""
    pain = PainFunnelState()
    for count, (engagement, topic) in enumerate(steps):
        target = {"a": Dimension.PAIN, "b": Dimension.METRICS}[topic]
        asked = recommendation(engagement_signal=engagement, topic=topic, meddic_bant_target=target)
        pain = PainDepthTracker.update_from_recommendation(pain, asked, interaction=count)
    return pain


@pytest.mark.parametrize(
    ("steps", "backs_off"),
    [
        ([(FACTUAL, "a")], False),
        ([(FACTUAL, "a")] * 2, False),
        ([(FACTUAL, "a")] * 3, True),
        ([(SHIFT, "a")] * 3, True),
        ([(RESISTANT, "a")], True),
        ([(RESISTANT, "a"), (FACTUAL, "b")], True),
        ([(RESISTANT, "a"), (HIGH, "b")], False),
        ([(RESISTANT, "a"), (EMOTIONAL, "b")], False),
        ([(FACTUAL, "a"), (HIGH, "a"), (FACTUAL, "a")], False),
        ([(FACTUAL, "a"), (EMOTIONAL, "a"), (FACTUAL, "a")], False),
        # a warm message on one topic does not disarm the rule for another
        ([(FACTUAL, "a"), (HIGH, "a"), (FACTUAL, "b"), (FACTUAL, "b"), (FACTUAL, "b")], True),
        # the count restarts when the topic changes
        ([(FACTUAL, "a"), (FACTUAL, "a"), (FACTUAL, "b"), (FACTUAL, "a")], False),
    ],
)
def test_when_to_back_off(steps: list[tuple[E, str]], backs_off: bool) -> None:
    assert PainDepthTracker.should_back_off(played(*steps)) is backs_off


def asked(
    topic: str | None,
    *,
    kind: QBSQuestionType = QBSQuestionType.PAIN_FUNNEL,
    target: Dimension = Dimension.PAIN,
    engagement: E = FACTUAL,
) -> QBSQuestionRecommendation:
    return recommendation(topic=topic, question_type=kind, meddic_bant_target=target, engagement_signal=engagement)


@pytest.mark.parametrize(
    ("questions", "backs_off"),
    [
        # a warm message on one topic does not disarm the rule for another with the same key
        ([asked("a"), asked("a", engagement=HIGH), asked("b"), asked("b"), asked("b")], True),
        # nor do changing targets on one topic
        ([asked("a"), asked("a", target=Dimension.METRICS), asked("a", target=Dimension.NEED)], True),
        # where no topic is named, the key is what is probed
        ([asked(None)] * 3, True),
        ([asked(None), asked(None), asked(None, target=Dimension.NEED), asked(None)], False),
        # what does not probe neither counts nor interrupts
        ([asked(None, kind=QBSQuestionType.CONFIRMATION)] * 4, False),
        ([asked("a"), asked("a"), asked("a", kind=QBSQuestionType.CONFIRMATION), asked("a")], True),
    ],
)
def test_what_counts_as_probing_one_topic(questions: list[QBSQuestionRecommendation], backs_off: bool) -> None:
    pain = PainFunnelState()
    for question in questions:
        pain = PainDepthTracker.update_from_recommendation(pain, question)
    assert PainDepthTracker.should_back_off(pain) is backs_off


def test_what_was_left_is_revisited_later_and_offered_until_it_is_probed_again() -> None:
    left = played((FACTUAL, "a"), (RESISTANT, "b"))
    assert left.revisit_later == ("a",)
    again = PainDepthTracker.update_from_recommendation(left, recommendation(engagement_signal=HIGH, topic="a"))
    assert again.revisit_later == ()
    assert not PainDepthTracker.should_back_off(again)


def test_a_third_probe_in_vain_latches_until_the_customer_opens_up() -> None:
    pain = sense(played(*[(FACTUAL, "a")] * 3), FACTUAL, PainDepthLevel.SURFACE)
    assert pain.backing_off
    assert pain.revisit_later == ("a",)
    assert PainDepthTracker.should_back_off(sense(pain, FACTUAL, PainDepthLevel.SURFACE))
    assert not PainDepthTracker.should_back_off(sense(pain, EMOTIONAL, PainDepthLevel.SURFACE))


def test_the_probe_counter_runs_on_type_and_target() -> None:
    pain = played((FACTUAL, "a"), (FACTUAL, "a"))
    assert (pain.probe_key, pain.probe_count) == ("pain_funnel:pain", 2)
    other = recommendation(question_type=QBSQuestionType.IMPACT, meddic_bant_target=Dimension.METRICS)
    assert PainDepthTracker.update_from_recommendation(pain, other).probe_count == 1


def test_the_topic_with_the_oldest_probe_goes_first_and_is_counted() -> None:
    pain = PainFunnelState()
    for number in range(MAX_TOPICS + 2):
        pain = PainDepthTracker.add_pain_topic(pain, f"topic {number}", interaction=number)
    assert [topic.name for topic in pain.topics] == [f"topic {number}" for number in range(2, MAX_TOPICS + 2)]
    assert pain.dropped_topics == 2


def test_a_topic_is_the_same_in_other_case_order_and_punctuation() -> None:
    pain = PainDepthTracker.add_pain_topic(PainFunnelState(), "Night-shift downtime")
    pain = PainDepthTracker.add_pain_topic(pain, "downtime night shift", depth=PainDepthLevel.EMOTIONAL)
    assert [(topic.name, topic.depth) for topic in pain.topics] == [("Night-shift downtime", PainDepthLevel.EMOTIONAL)]


def test_topic_evidence_accumulates_without_doubles_and_the_newest_stays() -> None:
    pain = PainFunnelState()
    for turn in range(5):
        quotes = (Evidence(quote=f"quote {turn}", turn=turn), Evidence(quote="same", turn=turn))
        pain = PainDepthTracker.add_pain_topic(pain, "scrap", evidence=quotes)
    kept = [item.quote for item in pain.topics[0].evidence]
    assert len(kept) == MAX_EVIDENCE_PER_TOPIC
    assert kept[-1] in ("quote 4", "same")
    assert len(set(kept)) == len(kept)
    assert pain.dropped_evidence > 0


def test_saving_gives_a_new_state_and_loading_gives_it_back() -> None:
    before, pain = state(), played((FACTUAL, "a"), (HIGH, "a"))
    after = PainDepthTracker.save(before, pain)
    assert PainDepthTracker.load(after) == pain
    assert before.metadata == {}


@given(st.lists(recommendations, max_size=30))
def test_depth_never_goes_back_and_bounds_hold(steps: list[QBSQuestionRecommendation]) -> None:
    pain = PainFunnelState()
    for count, asked in enumerate(steps):
        after = PainDepthTracker.update_from_recommendation(pain, asked, interaction=count)
        assert after.depth.rank >= max(pain.depth.rank, asked.pain_depth.rank)
        for topic in pain.topics:
            same = after.topic(topic.name)
            assert same is None or same.depth.rank >= topic.depth.rank
        assert len(after.topics) <= MAX_TOPICS
        assert len(after.revisit_later) <= MAX_TOPICS
        pain = after
