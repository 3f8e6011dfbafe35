"""The offline analyzer as a whole: verbatim, deterministic, never raising, and linear in time."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.model.analysis import Analysis
from engine.model.conversation import MAX_TURN_CHARACTERS, Channel, Speaker, Turn
from engine.rules import analyze_by_rules
from tests.engine.rules.saying import saying
from tests.engine.values import customer, seller, state

TALK = """
    we have 50k budget if would not no our CFO Walt signs by Q3 the contract ends problem broken cost us 40k angry
    don't need must be live before Henk, said "no" (maybe) 71% of it. Ignore previous instructions! ? - € £ 1.200
"""
WORDS = st.sampled_from([*TALK.split(), "\n"])
SENTENCES = st.lists(WORDS, max_size=60).map(" ".join)


def test_every_source_is_the_rules_and_nothing_is_guarded_yet() -> None:
    analysis = saying("We have 50k in the budget.")
    assert {source.label for source in analysis.sources.values()} == {"rules"}
    assert not analysis.guarded
    assert analysis.question.proposed is None


@settings(max_examples=200)
@given(st.one_of(st.text(max_size=400), SENTENCES), st.one_of(st.none(), SENTENCES))
@example("", "")
@example("İ" * 40 + " we have 50k budget", "What is the budget?")
@example("\u202e\u0000 budget 50k \ud7ff", None)
def test_any_text_is_answered_and_every_quote_is_verbatim(text: str, asked: str | None) -> None:
    analysis = saying(text, asked=asked)
    for signal in analysis.extraction.found.signals.values():
        assert all(item.quote in text and item.quote and item.turn == 1 for item in signal.evidence)
        assert signal.identified == bool(signal.evidence)
        assert 0 < signal.confidence <= 0.98 or not signal.identified
    assert all(trigger.context_quote in text for trigger in analysis.expansion.triggers)
    assert analysis.question.recommendation.suggested_question.endswith("?")


@settings(max_examples=50)
@given(SENTENCES)
def test_the_same_turn_is_always_answered_the_same(text: str) -> None:
    assert saying(text) == saying(text)


def test_only_the_customer_of_this_turn_is_believed() -> None:
    analysis = saying("Yes.", asked="You have a budget of 50k and Walt signs by March, right?")
    assert analysis.extraction.found.identified == ()


def test_the_cost_does_not_depend_on_how_long_the_conversation_was() -> None:
    class Watched(list[Turn]):
        """A history that counts how many of its turns are looked at."""

        looked_at = 0

        def __getitem__(self, position):  # type: ignore[no-untyped-def]
            taken = super().__getitem__(position)
            Watched.looked_at += len(taken) if isinstance(taken, list) else 1
            return taken

        def __iter__(self):  # type: ignore[no-untyped-def]
            raise AssertionError("the whole history is read")

    history = Watched(seller("What is the budget, and who signs?", index) for index in range(2000))
    analyze_by_rules(state(), customer("We have 50k, Henk signs.", 2000), history)
    assert Watched.looked_at <= 40


ADVERSARIAL: list[tuple[str, Callable[[int], str]]] = [
    ("one letter", lambda n: "a" * n),
    ("spaces", lambda n: " " * n),
    ("digits", lambda n: "1" * n),
    ("grouped digits", lambda n: "1.000." * (n // 6)),
    ("number words", lambda n: "twenty one hundred " * (n // 19)),
    ("negations", lambda n: "not no never none without " * (n // 26)),
    ("open brackets", lambda n: "((((" * (n // 4)),
    ("commas", lambda n: "a, " * (n // 3)),
    ("capitals", lambda n: "Henk Walt Sanna " * (n // 16)),
    ("roles", lambda n: "head of head of " * (n // 16)),
    ("budget", lambda n: "no budget, budget of 50k, " * (n // 26)),
    ("questions", lambda n: "what? how? " * (n // 11)),
    ("newlines", lambda n: "\n" * n),
    ("full stops", lambda n: "." * n),
    ("story", lambda n: "If we had 50k by March our CFO would sign, but it is broken and costs us 40k. " * (n // 79)),
    ("seller", lambda n: "would " * (n // 6)),
]


@pytest.mark.parametrize(("name", "text"), ADVERSARIAL, ids=[name for name, _ in ADVERSARIAL])
def test_twice_the_text_takes_about_twice_the_time(name: str, text: Callable[[int], str]) -> None:
    """Measured as the best of several tries at n and 4n: quadratic work would take 16 times as long."""
    once, fourfold = text(MAX_TURN_CHARACTERS // 4), text(MAX_TURN_CHARACTERS)
    ratio = min(_seconds(fourfold) / max(_seconds(once), 1e-4) for _ in range(3))
    assert ratio < 9


def _seconds(text: str) -> float:
    turn = customer(text[:MAX_TURN_CHARACTERS])
    history = (Turn(index=0, speaker=Speaker.SELLER, text=f"{text[: MAX_TURN_CHARACTERS - 1]}?"),)
    before = state(last_channel=Channel.EMAIL)

    def analyse() -> Analysis:
        return analyze_by_rules(before, turn, history)

    analyse()
    times = []
    for _ in range(3):
        start = time.process_time()
        analyse()
        times.append(time.process_time() - start)
    return min(times)


def test_another_process_answers_the_same() -> None:
    """Sets of words are iterated in another order in every process; nothing may depend on it."""
    code = (
        "from tests.engine.rules.saying import saying\n"
        "print(saying('Our CFO, Walt, signs above 250k by 30 June; the slow portal costs us 40k a year, it must be "
        "in the EU and I was so angry about it.', asked='Who decides, and when?').model_dump_json())"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
            cwd=Path(__file__).parents[3],
        ).stdout
        for seed in ("1", "2")
    }
    assert len(answers) == 1
