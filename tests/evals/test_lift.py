"""A model against the rules: gain for its price, and the turns where only one was right."""

from __future__ import annotations

from typing import Any

import pytest

from engine.model.analysis import Source
from evals.lift import ledger, lift
from evals.metrics import find_metric, find_metrics
from evals.records import TurnRecord
from evals.scoring import Scores, score
from tests.evals.metrics.turns import FALLBACK, analysis, record, said, signal
from tests.evals.values import conversation, label

F1 = find_metric("extraction.f1")
METRICS = find_metrics(("extraction.f1", "operations.cost", "operations.wait"))
TALKS = [conversation(f"talk{number:02}", customer_turns=2) for number in range(12)]
LABELS = {talk.id: {turn: label(turn, talk.id, dimensions=[said("budget")]) for turn in (1, 3)} for talk in TALKS}
RULES = Source(kind="rules")
RESAMPLES = 1_000


def model(cost_usd: float | None = 0.01, latency_ms: float | None = 2_000.0) -> Source:
    return Source(kind="llm", model="m", attempts=1, cost_usd=cost_usd, latency_ms=latency_ms)


def run(marks: list[str], source: Source, **fields: Any) -> Scores:
    """One mark for each talk, one letter for each turn: r right, m missed, f missed by a fallback."""
    records: list[TurnRecord] = []
    for talk, mark in zip(TALKS, marks, strict=False):
        for turn, letter in zip((1, 3), mark, strict=True):
            found = {"budget": signal("q", turn=turn)} if letter == "r" else {}
            answer = analysis(found, source=FALLBACK if letter == "f" else source)
            records.append(record(answer, turn, of=talk))
    return score(records, LABELS, TALKS, METRICS, **fields)


MIXED = ["rr", "rm"] * 6  # F1 = 36 / 42
MISSED = ["rm", "mm"] * 6  # F1 = 12 / 30


def test_gain_and_price_of_a_worked_example():
    found = lift(run(MISSED, RULES), run(MIXED, model()), F1, resamples=RESAMPLES)
    gain = 36 / 42 - 12 / 30
    assert found.gain.value == pytest.approx(gain)
    assert found.dollars.value == pytest.approx(2 * 3 * 0.01)  # two turns of three calls
    assert found.seconds.value == pytest.approx(2.0)
    assert found.per_dollar.value == pytest.approx(gain / 0.06)
    assert found.per_second.value == pytest.approx(gain / 2.0)
    assert found.per_second.low is not None
    assert found.per_second.high is not None
    assert found.per_second.low < gain / 2 < found.per_second.high


@pytest.mark.parametrize("source", [model(cost_usd=None), model(cost_usd=0.0)], ids=["unknown price", "free"])
def test_without_a_price_there_is_no_gain_for_a_dollar(source: Source):
    found = lift(run(MISSED, RULES), run(MIXED, source), F1, resamples=RESAMPLES)
    assert found.per_dollar.value is None
    assert found.per_second.value is not None


def test_recorded_answers_without_latency_have_no_gain_for_a_second():
    found = lift(run(MISSED, RULES), run(MIXED, model(latency_ms=None)), F1, resamples=RESAMPLES)
    assert (found.seconds.value, found.per_second.value) == (None, None)


def test_the_ledger_says_who_was_right_and_why_the_model_was_not_asked():
    found = ledger(run(["rr", "mm", "mr"], RULES), run(["rm", "rm", "fr"], model()), F1)
    assert [(item.change.conversation_id, item.change.turn, item.outcome) for item in found.disagreements] == [
        ("talk01", 1, "only the model right"),
        ("talk00", 3, "only the rules right"),
    ]
    assert (found.count("only the model right"), found.count("neither right")) == (1, 0)
    assert {(note.conversation_id, note.turn, note.reason) for note in found.fallbacks} == {("talk02", 1, "timeout")}


def test_turns_of_which_neither_is_fully_right_are_told_apart():
    labels = {"talk00": {1: label(1, "talk00", dimensions=[said("budget"), said("pain"), said("need")])}}

    def finding(*names: str) -> Scores:
        found = analysis({name: signal("q") for name in names})
        return score([record(found, 1, of=TALKS[0])], labels, TALKS, METRICS)

    (item,) = ledger(finding("budget"), finding("budget", "pain"), F1).disagreements
    assert item.outcome == "neither right"
    assert item.change.gain > 0
