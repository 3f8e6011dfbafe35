"""The engine's memory stays within 5 KB, forgets what is used least, and counts what it forgot."""

from __future__ import annotations

from pydantic_core import to_json

from engine import memory
from engine.model.qbs import ExpansionEntry, ExpansionState, ExpansionTrigger, PainFunnelState, PainTopic
from engine.model.qualification import Evidence
from tests.engine.values import state


def chatty_pain(count: int = 10, quote: str = "x" * 160) -> PainFunnelState:
    topics = tuple(
        PainTopic(
            name=f"topic {number}",
            last_probed_at=number,
            evidence=tuple(Evidence(quote=f"{turn}{quote}", turn=turn) for turn in range(3)),
        )
        for number in range(count)
    )
    return PainFunnelState(topics=topics, active_topic="topic 9")


def chatty_expansion(count: int = 20) -> ExpansionState:
    return ExpansionState(
        entries=tuple(
            ExpansionEntry(
                trigger=ExpansionTrigger(mentioned_name_or_role=f"Person {number}", context_quote="y" * 140),
                first_seen=number,
                last_seen=number,
            )
            for number in range(count)
        )
    )


def test_what_is_put_is_read_back_and_the_state_before_is_untouched() -> None:
    before = state(metadata={"context": {"account": "Norrland"}})
    after = memory.put(before, pain=chatty_pain(1), expansion=chatty_expansion(1), question="Who signs?")
    assert memory.pain(after) == chatty_pain(1)
    assert memory.expansion(after) == chatty_expansion(1)
    assert memory.asked(after) == {memory.fingerprint("Who signs?")}
    assert after.metadata["context"] == {"account": "Norrland"}
    assert "qbs" not in before.metadata


def test_it_never_exceeds_its_limit_whatever_comes_in() -> None:
    full = memory.put(state(), pain=chatty_pain(quote="ü" * 158), expansion=chatty_expansion())
    for number in range(300):
        full = memory.put(full, question=f"What about the number {number}?")
    assert len(to_json(full.metadata["qbs"])) <= memory.LIMIT_BYTES


def test_the_least_recent_evidence_goes_first_and_what_went_is_counted() -> None:
    full = memory.put(state(), pain=chatty_pain())
    pain = memory.pain(full)
    kept = {topic.name: len(topic.evidence) for topic in pain.topics}
    assert kept["topic 0"] == 1
    assert kept["topic 9"] == 3
    assert pain.dropped_evidence == 30 - sum(kept.values()) > 0


def test_the_active_topic_survives_even_a_tiny_limit() -> None:
    sections = memory.put(state(), pain=chatty_pain(), expansion=chatty_expansion()).metadata["qbs"]
    small = memory.within_limit(sections, limit=400)
    assert [topic["name"] for topic in small["pain_state"]["topics"]] == ["topic 9"]
    assert memory.size(small) <= 400
    assert small["expansion"]["dropped"] + len(small["expansion"].get("entries", ())) == 20
    assert small["pain_state"]["dropped_topics"] == 9


def test_equal_questions_have_one_fingerprint_whatever_leads_into_them() -> None:
    prints = {
        memory.fingerprint("What happens when a line stops at night?"),
        memory.fingerprint("That makes sense. What happens when a line stops at night?"),
        memory.fingerprint("what happens, when a line stops at NIGHT ?"),
    }
    assert len(prints) == 1
    assert memory.fingerprint("What happens when a line starts at night?") not in prints
