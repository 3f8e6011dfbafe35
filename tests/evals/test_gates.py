"""Gates: what people may write, what is said where it is wrong, and when a comparison fails."""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path

import pytest

from engine.errors import InputError
from evals.compare import Comparison, compare
from evals.gates import Condition, Gate, Outcome, check, parse
from evals.gates_file import read_gates
from evals.inference.verdict import Verdict
from evals.metrics import find_metrics
from evals.metrics.judged import View
from evals.records import Estimate
from evals.scoring import score
from tests.evals.runs_of import by_labels, by_rules, shipped, talks

METRICS = find_metrics(("extraction.f1", "question.type", "operations.latency_p50", "question.repetition"))


@cache
def labels_against_rules() -> Comparison:
    sides = (score(records, shipped().labels, talks(), METRICS, name="run") for records in (by_rules(), by_labels()))
    return compare(*sides, resamples=1_000)


@cache
def rules_against_labels() -> Comparison:
    sides = (score(records, shipped().labels, talks(), METRICS, name="run") for records in (by_labels(), by_rules()))
    return compare(*sides, resamples=1_000)


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("extraction.f1 < -0.02", Condition("", "extraction.f1", "difference", "value", "<", -0.02)),
        ("extraction.f1<=-2%", Condition("", "extraction.f1", "difference", "value", "<=", -0.02)),
        ("  extraction.f1.low >= .5 ", Condition("", "extraction.f1", "difference", "low", ">=", 0.5)),
        ("A.extraction.f1 > 1e-3", Condition("", "extraction.f1", "A", "value", ">", 0.001)),
        ("B.extraction.f1.high < 60 %", Condition("", "extraction.f1", "B", "high", "<", 0.6)),
        ("question.type is worse", Condition("", "question.type", verdict=Verdict.WORSE)),
        ("question.type is not enough data", Condition("", "question.type", verdict=Verdict.NOT_ENOUGH_DATA)),
    ],
)
def test_a_condition_is_read(text: str, condition: Condition):
    assert parse(text) == dataclasses.replace(condition, text=text)


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("", 1, "a metric, such as extraction.f1, is expected"),
        ("< 2", 1, "a metric"),
        ("extraction.ff1 < 2", 1, "did you mean extraction.f1"),
        ("C.extraction.f1 < 2", 1, "there is no metric"),
        ("extraction.f1", 14, "one of <, <=, >, >= or `is`"),
        ("extraction.f1 = 2", 15, "one of <"),
        ("extraction.f1 << 2", 16, "a number is expected"),
        ("extraction.f1 < two", 17, "a number is expected"),
        ("extraction.f1 < 2 points", 19, "nothing more"),
        ("extraction.f1 is nice", 18, "a verdict is expected: better, worse, tied, not enough data"),
        ("B.extraction.f1 is worse", 1, "without side or bound"),
    ],
)
def test_a_mistake_is_said_with_its_column(text: str, column: int, said: str):
    with pytest.raises(InputError) as error:
        parse(text)
    assert f"column {column}: " in str(error.value)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("extraction.f1 < -0.02", Outcome.PASSED),
        ("extraction.f1 > 0.02", Outcome.FAILED),
        ("extraction.f1.low < 0", Outcome.PASSED),
        ("A.extraction.f1 < 0.9", Outcome.FAILED),
        ("B.extraction.f1 < 0.9", Outcome.PASSED),
        ("B.extraction.f1 <= 1", Outcome.FAILED),
        ("extraction.f1 is better", Outcome.FAILED),
        ("extraction.f1 is worse", Outcome.PASSED),
        ("operations.latency_p50 > 100", Outcome.NOT_ENOUGH_DATA),  # nothing was timed
        ("extraction.f1 > 0.41", Outcome.NOT_ENOUGH_DATA),  # within the interval
    ],
)
def test_a_condition_that_holds_fails_the_gate(text: str, outcome: Outcome):
    (checked,) = check([Gate(parse(text))], labels_against_rules())
    assert (checked.outcome, checked.failed) == (outcome, outcome is Outcome.FAILED)


def test_a_run_that_was_made_worse_fails():
    (checked,) = check([Gate(parse("extraction.f1 < -0.02"))], rules_against_labels())
    assert checked.failed
    assert "the difference is -0." in checked.reason


def test_too_little_data_fails_where_that_is_wanted():
    gate = Gate(parse("operations.latency_p50 > 100"))
    strict = dataclasses.replace(gate, fail_on_not_enough_data=True)
    assert [each.failed for each in check([gate, strict], labels_against_rules())] == [False, True]


def test_a_metric_that_no_gate_may_rest_on_decides_nothing():
    (checked,) = check(
        [Gate(parse("extraction.f1 > 0"))], labels_against_rules(), unusable={"extraction.f1": "nobody knows"}
    )
    assert (checked.outcome, checked.reason) == (Outcome.NOT_ENOUGH_DATA, "nobody knows")


def test_a_run_alone_is_checked_by_its_own_figures():
    own = {"extraction.f1": Estimate(value=0.5, low=0.4, high=0.6, n=10)}
    texts = ("B.extraction.f1 < 0.6", "B.extraction.f1.low < 0.3")
    assert [each.failed for each in check([Gate(parse(text)) for text in texts], None, own)] == [True, False]
    with pytest.raises(InputError, match="needs a run to compare with"):
        check([Gate(parse("extraction.f1 < 0"))], None, own)


def test_a_metric_that_was_not_compared_is_an_error():
    with pytest.raises(InputError, match="was not compared"):
        check([Gate(parse("expansion.recall < 0"))], labels_against_rules())


def test_a_file_of_gates_is_read(tmp_path: Path):
    file = tmp_path / "gates.toml"
    file.write_text(
        'view = "all"\nnot_enough_data = "fail"\n\n[[gate]]\nname = "no worse"\nfail_if = "extraction.f1 < 0"\n\n'
        '[[gate]]\nfail_if = "B.question.type < 50 %"\nnot_enough_data = "pass"\n'
    )
    found = read_gates(file)
    assert found.view is View.ALL
    assert [(gate.title, gate.fail_on_not_enough_data) for gate in found.gates] == [
        ("no worse", True),
        ("B.question.type < 50 %", False),
    ]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", None, "there is no [[gate]]"),
        ("[[gate]\n", 1, "not TOML"),
        ('[[gate]]\nfail_if = "extraction.f1 < 0', 2, "not TOML"),
        ('[[gate]]\nfail_if = "extraction.f1 < 0"\n[[gate]]\nname = "x"\n', 3, "gate.fail_if is missing"),
        ('[[gate]]\nname = "x"\n\nfail_if = "extraction.f1 < x"\n', 4, "column 17: a number is expected"),
        ('# first\n[[gate]]\nfail_if = "extraction.f1 < 0"\nfails = 1\n', 4, "gate.fails has no meaning here"),
        ('view = "none"\n[[gate]]\nfail_if = "extraction.f1 < 0"\n', 1, "it has to be 'model' or 'all'"),
        ('[[gate]]\nfail_if = "extraction.f1 < 0"\n[[gate]]\nfail_if = 3\n', 4, "gate.fail_if is 3; it has to be"),
    ],
)
def test_a_mistake_in_a_file_is_said_with_file_and_line(tmp_path: Path, text: str, line: int | None, said: str):
    file = tmp_path / "gates.toml"
    file.write_text(text)
    with pytest.raises(InputError) as error:
        read_gates(file)
    assert (error.value.file, error.value.line) == (file, line)
    assert said in str(error.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(InputError, match="No such file"):
        read_gates(tmp_path / "gates.toml")
