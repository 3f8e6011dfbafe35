"""Ratings by the wording alone: what the fake model says where it is asked to judge a message that a seller might send.

Like the answers by rules it knows the reply schema (of `evals.rubric`) by name and field, and reads the transcript.
It is no judge of anything: long words fool it, and it always says the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.model.conversation import Speaker, Turn
from engine.wording import ECHO_WORDS, jargon, questions, sentences, shortened

REPLY_NAME = "QuestionJudgement"
MOST_WORDS = 45  # of a natural message
OWN_WORD = 5  # letters from which on a word of the customer's is taken for one that carries weight
MAX_QUOTE_CHARACTERS = 80


def rated(turns: Sequence[Turn]) -> dict[str, Any] | None:
    """The ratings of the last turn of a transcript; None unless it is the seller's and the customer spoke before."""
    if len(turns) < 2 or turns[-1].speaker is not Speaker.SELLER:
        return None
    said = next((turn.text for turn in reversed(turns[:-1]) if turn.speaker is Speaker.CUSTOMER), None)
    if said is None:
        return None
    text = turns[-1].text
    return {
        "reason": f'It says "{shortened(text, MAX_QUOTE_CHARACTERS)}".',
        "naturalness": _naturalness(text),
        "value_first": _value_first(text, said),
    }


def _naturalness(text: str) -> int:
    """4, less 2 for the vocabulary of sales, 1 for a second question, and 1 for more than `MOST_WORDS` words."""
    stiff = 2 * bool(jargon(text)) + (len(questions(text)) > 1) + (len(text.split()) > MOST_WORDS)
    return max(1, 4 - stiff)


def _value_first(text: str, said: str) -> int:
    """1 if it only asks, 2 for an echo, 3 for a sentence that does not ask, 4 if that has a word of the customer's."""
    asked = set(questions(text))
    given = [sentence for sentence in sentences(text) if sentence not in asked]
    if not given:
        return 1
    if all(len(sentence.split()) <= ECHO_WORDS for sentence in given):
        return 2
    return 4 if _weighty(" ".join(given)) & _weighty(said) else 3


def _weighty(text: str) -> set[str]:
    words = (word.strip(".,;:!?\"'()") for word in text.casefold().split())
    return {word for word in words if len(word) >= OWN_WORD}
