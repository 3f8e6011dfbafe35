from __future__ import annotations

import math
from pathlib import Path

import pytest

from engine.errors import InputError
from evals.metrics import find_metrics
from evals.metrics.judged import View
from evals.tuning.promotion_file import METRICS, Limits, PromotionRules, read_promotion


def written(folder: Path, text: str) -> Path:
    file = folder / "promotion.toml"
    file.write_text(text)
    return file


def test_without_a_file_the_gate_is_as_built_in(tmp_path: Path) -> None:
    assert read_promotion(tmp_path / "promotion.toml") == PromotionRules()
    assert [metric.name for metric in find_metrics(METRICS)] == list(METRICS)
    assert not any(metric.detail for metric in find_metrics(METRICS))


def test_what_a_file_does_not_say_is_as_built_in(tmp_path: Path) -> None:
    file = written(tmp_path, "minimum_turns = 7\n[limits]\ncost_usd = 0.1\nlatency_growth = inf\n")
    found = read_promotion(file)
    assert found == PromotionRules(minimum_turns=7, limits=Limits(cost_usd=0.1, latency_growth=math.inf), file=file)


def test_everything_can_be_said(tmp_path: Path) -> None:
    text = """
datasets = ["pilot", "b2b_discovery"]
variant = "llm:openai/a"
view = "all"
metrics = ["extraction.f1"]
minimum_conversations = 3
minimum_turns = 9
not_enough_data = "fail"

[limits]
cost_growth = 0.1
fallbacks = 0

[[gate]]
name = "needs"
fail_if = "extraction.need.recall.high < -0.05"

[[gate]]
fail_if = "B.extraction.precision < 60 %"
not_enough_data = "pass"
"""
    found = read_promotion(written(tmp_path, text))
    assert (found.datasets, found.variant, found.view) == (("pilot", "b2b_discovery"), "llm:openai/a", View.ALL)
    assert (found.metrics, found.minimum_conversations, found.minimum_turns) == (("extraction.f1",), 3, 9)
    assert (found.limits.cost_growth, found.limits.fallbacks, found.limits.latency_growth) == (0.1, 0.0, 0.5)
    assert [(gate.title, gate.fail_on_not_enough_data) for gate in found.gates] == [
        ("needs", True),
        ("B.extraction.precision < 60 %", False),
    ]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("datasets = []", 1, "datasets"),
        ("\nmetrics = ['extraction.f2']", 2, "extraction.f2"),
        ("minimum_turns = 0", 1, "minimum_turns"),
        ("variant = 'rules'", 1, "asks no model"),
        ("[limits]\ncost = 1", 2, "has no meaning"),
        ("[limits]\nfallbacks = 2", 2, "fallbacks"),
        ("[[gate]]\nname = 'x'\nfail_if = 'extraction.f1 is bad'", 3, "a verdict is expected"),
        ("[[gate]]\nname = 'x'", 1, "fail_if is missing"),
        ("datasets = [", None, "not TOML"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str, line: int | None, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        read_promotion(written(tmp_path, text))
    assert caught.value.line == line or line is None
