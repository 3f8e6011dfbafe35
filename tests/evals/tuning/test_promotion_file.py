from __future__ import annotations

import math
from pathlib import Path

import pytest

from engine.errors import InputError, UnknownError
from evals.metrics import find_metrics
from evals.metrics.judged import View
from evals.tuning.promotion_file import METRICS, Limits, PromotionRules, check_datasets, read_promotion


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
        ("datasets = 'pilot'", 1, r'datasets is "pilot"; it has to be a list, such as \["one", "two"\]'),
        ("datasets = [\n'pilot',\n3]", 1, "datasets holds 3; each of it has to be a text in quotes"),
        ("minimum_turns = 'few'", 1, 'minimum_turns is "few"; it has to be a whole number'),
        ("minimum_turns = 1.5", 1, "minimum_turns is 1.5; it has to be a whole number"),
        ("minimum_turns = 2026-01-01", 1, "minimum_turns is 2026-01-01; it has to be a whole number"),
        ("# few\nminimum_turn = 3", 2, "minimum_turn has no meaning here; did you mean minimum_turns"),
        ("view = 'mdel'", 1, "view is \"mdel\"; it has to be 'model' or 'all'"),
        ("variant = ''", 1, 'variant is ""; it has to be a text that is not empty'),
        ("variant = 'lm'", 1, "there is no variant 'lm'; did you mean llm"),
        ("limits = 3", 1, r"limits is to be a table: its keys stand below a line \[limits\]"),
        ("[limits]\nfallbacks = 2", 2, "limits.fallbacks is 2; it has to be 1 or less"),
        ("view = 'all'\n[limits]\ncost_usd = -1", 3, "limits.cost_usd is -1; it has to be 0 or more"),
        ("limits.cost_usd = 'much'", 1, 'limits.cost_usd is "much"; it has to be a number'),
        ("limits = { cost_usd = [] }", 1, "limits.cost_usd is an empty list; it has to be a number"),
        ("[limits]\nminimum_turns = 9", 2, "minimum_turns belongs at the beginning of the file"),
        ("[gate]\nfail_if = 'extraction.f1 < 0'", 1, r"gate is to be written \[\[gate\]\]"),
        ("gate = ['extraction.f1 < 0']", 1, r"gate is to be written \[\[gate\]\]"),
        ("[[gate]]\nfail_if = 'extraction.f1 < 0'\nnot_enough_data = 'no'", 3, "it has to be 'pass' or 'fail'"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str, line: int | None, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        read_promotion(written(tmp_path, text))
    assert caught.value.line == line or line is None


def test_nothing_is_said_in_the_words_of_a_library(tmp_path: Path) -> None:
    values = ("3", "-3.5", "'x'", "''", "true", "[]", "[[]]", "{}", "nan", "2026-01-01", "'" + 90 * "x" + "'")
    keys = ("datasets", "variant", "metrics", "view", "minimum_turns", "not_enough_data", "limits", "gate", "other")
    said = [refused(tmp_path, f"{key} = {value}") for key in keys for value in values]
    said += [refused(tmp_path, f"[limits]\n{key} = {value}") for key in ("fallbacks", "cost_usd") for value in values]
    said += [refused(tmp_path, f"[[gate]]\n{key} = {value}") for key in ("fail_if", "name") for value in values]
    words = [text for text in said if text is not None]
    assert len(words) > 80
    assert [text for text in words if "nput should" in text or "something else" in text] == []


def refused(folder: Path, text: str) -> str | None:
    try:
        read_promotion(written(folder, text))
    except InputError as error:
        return error.problem
    return None


def test_a_data_set_that_there_is_not_is_named_with_its_line_and_with_what_is_near(tmp_path: Path) -> None:
    found = read_promotion(written(tmp_path, "minimum_turns = 7\ndatasets = ['pilot', 'b2b_discovry']"))
    check_datasets(found, ["pilot", "b2b_discovery", "b2b_discovry"])
    with pytest.raises(UnknownError, match="no data set 'b2b_discovry'; did you mean b2b_discovery") as caught:
        check_datasets(found, ["pilot", "b2b_discovery"])
    assert (caught.value.file, caught.value.line) == (found.file, 2)
