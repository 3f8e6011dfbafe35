from __future__ import annotations

import json

import pytest

from tests.workbench.commands.judged_talks import write_labelled


@pytest.fixture
def run_id(qbs, shipped) -> str:
    write_labelled(shipped)
    return json.loads(qbs("replay", "talks", "--json").stdout)["run_id"]


def test_a_run_is_folded_again_and_can_be_listed_shown_and_compared(qbs, run_id):
    result = qbs("rescore", run_id, "--merge", "latest", "--json")
    assert result.exit_code == 0, result.stderr
    made = json.loads(result.stdout)
    assert (made["variant"], made["status"], made["turns"]) == ("rules, merge latest", "complete", 16)
    assert (made["rescored"]["run_id"], made["rescored"]["merge"]) == (run_id, "latest")
    assert {row["run_id"] for row in json.loads(qbs("runs", "list", "--json").stdout)} == {run_id, made["run_id"]}
    assert qbs("runs", "show", made["run_id"]).exit_code == 0
    assert qbs("compare", run_id, made["run_id"]).exit_code == 0


def test_doing_it_twice_makes_one_run(qbs, run_id):
    made = [json.loads(qbs("rescore", run_id, "--without", "jargon", "--json").stdout) for _ in range(2)]
    assert made[0] == made[1]
    assert len(made[0]["rescored"]["guardrails"]) == 8


@pytest.mark.parametrize(
    ("options", "variant"),
    [
        ([], "rules, folded again"),
        (["--guardrails", "all"], "rules, folded again"),
        (["--guardrails", "none"], "rules, without guardrails"),
        (["--without", "jargon", "--without", "back_off"], "rules, without back_off and jargon"),
        (["--merge", "first", "--guardrails", "none"], "rules, merge first, without guardrails"),
    ],
)
def test_people_read_what_was_done_and_what_comes_next(qbs, run_id, options, variant):
    result = qbs("rescore", "latest", *options)
    assert result.stdout.splitlines()[0].endswith(f": {variant}")
    assert f"Next: qbs compare {run_id} " in result.stderr


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--merge", "latst"], 2, "did you mean latest"),
        (["--without", "jargn"], 2, "did you mean jargon"),
        (["--guardrails", "all", "--guardrails", "jargon"], 2, "stand alone"),
        (["--guardrails", "jargon", "--without", "back_off"], 2, "either --guardrails or --without"),
        (["--without", "none"], 2, "stand alone"),
    ],
)
def test_what_cannot_be_is_said(qbs, run_id, options, code, said):
    result = qbs("rescore", run_id, *options)
    assert result.exit_code == code
    assert said in " ".join(result.stderr.split())


def test_labels_cannot_be_folded_again(qbs, run_id):
    labels = json.loads(qbs("replay", "talks", "--variant", "labels", "--json").stdout)["run_id"]
    result = qbs("rescore", labels)
    assert result.exit_code == 3
    assert "no guardrail looks at" in result.stderr


def test_every_policy_and_guardrail_is_in_the_help(qbs):
    from engine.guardrails import ANALYSIS_RULES
    from evals.merge_policies import MEANINGS

    shown = " ".join(qbs("rescore", "--help").stdout.split())
    assert [name for name in (*MEANINGS, *ANALYSIS_RULES) if name not in shown] == []
