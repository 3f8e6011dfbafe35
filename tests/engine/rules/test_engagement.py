"""Where the customer's energy is."""

from __future__ import annotations

import pytest

from engine.model.conversation import Channel
from engine.model.qbs import EngagementSignal
from engine.rules.engagement import asks_about_the_offer, engagement, leaves
from tests.engine.rules.saying import hearing
from tests.engine.values import state

HIGH, FACTUAL, RESISTANT, SHIFT, EMOTIONAL = EngagementSignal

STORY = (
    "We moved from the old thing three weeks before peak and the mapping was wrong. Every box went out as a standard "
    "parcel, the carrier said nothing and sent the surcharge in January, 61k. I had been here five months! So what I "
    "need to have seen is our ugliest 200 orders going through your system and coming out with the right price."
)


@pytest.mark.parametrize(
    ("asked", "said", "expected"),
    [
        (None, "We use a spreadsheet for that.", FACTUAL),
        ("How many depots?", "4. about 1900 machines", FACTUAL),
        ("Is this an ok time?", "ok", FACTUAL),
        ("How does it get to the driver?", "whiteboard", FACTUAL),
        ("What happened?", STORY, HIGH),
        ("Shall we meet?", "just send me a deck and I'll have a look when it calms down", RESISTANT),
        ("Could we talk?", "Not interested.", RESISTANT),
        ("How do you do it today?", "I'd rather not say, and please don't call me.", RESISTANT),
        ("What would you change?", "I am not in a position to discuss this.", RESISTANT),
        ("What would you change?", "lol nothing. got to run", RESISTANT),
        ("Who signs?", "By the way, are you lot still in Gothenburg?", SHIFT),
        ("What would you change about it?", "what's it cost", SHIFT),
        (None, "What I really wanted to ask is whether you do anything with breakfast.", SHIFT),
        ("How was it?", "I was so angry I couldn't drive.", EMOTIONAL),
        ("And then?", "I'm ashamed of it, to be honest.", EMOTIONAL),
        ("Shall I?", "Great, thanks, perfect 😄", FACTUAL),
        (None, "", FACTUAL),
    ],
)
def test_the_signal_of_a_message(asked: str | None, said: str, expected: EngagementSignal) -> None:
    assert engagement(hearing(said, asked=asked)) is expected


def test_the_same_length_says_more_in_a_chat_than_in_an_email() -> None:
    said = "We run three sites with about forty people each, the planning is done per site and then put together. " * 3
    assert engagement(hearing(said, before=state(last_channel=Channel.CHAT))) is HIGH
    assert engagement(hearing(said, before=state(last_channel=Channel.EMAIL))) is FACTUAL


def test_a_long_open_answer_with_a_refusal_in_it_is_no_resistance() -> None:
    assert engagement(hearing(f"{STORY} No demo please.", asked="What happened?")) is HIGH


def test_who_has_to_go_and_who_asks_about_the_offer() -> None:
    assert leaves(hearing("Sure. Gotta go, driver waiting."))
    assert not leaves(hearing("We have to go through procurement."))
    assert asks_about_the_offer(hearing("How much is it?"))
    assert asks_about_the_offer(hearing("do you integrate with our erp?"))
    assert not asks_about_the_offer(hearing("Can you hear me?"))
