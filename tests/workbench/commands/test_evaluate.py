from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from engine.llm.fake import FakeModelConfig
from tests.workbench.commands.judged_talks import write_labelled

GATES = """
[[gate]]
name = "hears no less"
fail_if = "extraction.recall.high < 0"

[[gate]]
fail_if = "B.operations.failures > 0"
"""


@pytest.fixture
def talks(shipped):
    return write_labelled(shipped)


@pytest.fixture
def gates(tmp_path):
    file = tmp_path / "gates.toml"
    file.write_text(GATES)
    return file


def test_what_is_missing_is_replayed_and_judged(qbs, talks):
    result = qbs("evaluate", "talks", "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert set(found) == {"run_id", "view", "metrics", "comparison", "repeats", "gates"}
    assert set(found["metrics"]["extraction.f1"]) == {"value", "low", "high", "n"}
    assert found["comparison"] is None
    again = json.loads(qbs("evaluate", "talks", "--json").stdout)
    assert again["run_id"] == found["run_id"]
    assert len(json.loads(qbs("runs", "list", "--json").stdout)) == 1


def test_people_see_the_figures(qbs, talks):
    shown = qbs("evaluate", "talks").stdout
    assert "extraction.recall" in shown
    assert "METRIC" in shown


def test_a_variant_to_compare_with_is_replayed_too_and_gates_pass(qbs, talks, gates, tmp_path):
    junit = tmp_path / "gates.xml"
    options = ["--against", "rules", "--gate", gates, "--junit", junit]
    result = qbs("evaluate", "talks", "--variant", "labels", *options)
    assert result.exit_code == 0, result.stderr
    assert "hears no less" in result.stdout
    assert ElementTree.parse(junit).getroot().attrib["tests"] == "2"
    assert len(json.loads(qbs("runs", "list", "--json").stdout)) == 2


def test_a_variant_that_is_worse_fails(qbs, talks, gates):
    labels = json.loads(qbs("replay", "talks", "--variant", "labels", "--json").stdout)["run_id"]
    result = qbs("evaluate", "talks", "--variant", "rules", "--against", labels, "--gate", gates, "--json")
    assert result.exit_code == 1
    outcomes = {gate["name"]: gate["outcome"] for gate in json.loads(result.stdout)["gates"]}
    assert outcomes == {"hears no less": "failed", "B.operations.failures > 0": "passed"}


def test_repeats_show_how_answers_vary(qbs, talks):
    found = json.loads(qbs("evaluate", "talks", "--samples", 2, "--json").stdout)
    assert found["repeats"]["extraction.f1"]["samples"] == 2
    assert found["repeats"]["extraction.f1"]["answers"] == 0.0  # rules never vary
    assert "asking again" in qbs("evaluate", "talks", "--samples", 2).stdout


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--fail-if", "extraction.f1 < 0"], 2, "needs --against"),
        (["--fail-if", "B.extraction.f1 <"], 2, "column 18: a number is expected"),
        (["--gate", "nowhere.toml"], 3, "nowhere.toml: cannot be read"),
        (["--variant", "nobody"], 2, "there is no variant"),
        (["--against", "nobody"], 2, "there is no run 'nobody'"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_replayed(qbs, talks, options, code, said):
    result = qbs("evaluate", "talks", *options)
    assert result.exit_code == code
    assert said in " ".join(result.stderr.split())
    assert json.loads(qbs("runs", "list", "--json").stdout) == []


def test_a_mistake_in_the_gates_is_said_with_its_line(qbs, talks, gates):
    gates.write_text(GATES + '\n[[gate]]\nfail_if = "extraction.f1 < much"\n')
    result = qbs("evaluate", "talks", "--against", "rules", "--gate", gates)
    assert result.exit_code == 3
    assert f"{gates}, line 10: 'extraction.f1 < much', column 17: a number is expected" in result.stderr


@pytest.mark.parametrize("fake", [FakeModelConfig(answers="schema")], indirect=True)
def test_a_replay_that_stops_at_a_limit_is_not_judged(qbs, talks, fake, monkeypatch):
    monkeypatch.setenv("QBS_API_BASE", fake.base_url)
    monkeypatch.setenv("QBS_API_KEY", "none")
    result = qbs("evaluate", "talks", "--variant", "llm:openai/fake-model", "--limit-calls", 3)
    assert result.exit_code == 1
    assert "Stopped at a limit" in result.stderr
    assert "METRIC" not in result.stdout
