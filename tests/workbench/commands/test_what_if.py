"""`qbs outcomes what-if`: an answer with its intervals, or a refusal in words and with an exit code."""

from __future__ import annotations

import json

import pytest

from evals.learning.facts import OutcomeStore
from evals.learning.facts.simulated import load
from evals.learning.simulated import START, WorldSettings, simulate
from evals.learning.simulated_data import table_of

KEYS = {"policy", "simulated", "outcomes", "conversations", "estimates", "refusal", "overlap", "left_out"}
ESTIMATES = {"doubly_robust", "self_normalised", "inverse_propensity", "logged", "difference"}


@pytest.fixture
def simulated(home):
    world = simulate(3, 300, WorldSettings(exploring=0.8, impatient=0.05, unsent=0.03))
    store = OutcomeStore(home / "outcomes.duckdb")
    load(store, "demo", table_of(world), START, world.facts.as_of, "world 3")
    return world


def test_an_answer_has_intervals_its_overlap_and_what_was_left_out(qbs, simulated):
    result = qbs("outcomes", "what-if", "--policy", "always:impact")
    assert result.exit_code == 0
    words = " ".join(result.stdout.split())
    assert "What if: always impact. The outcomes are simulated." in words
    assert "it would have been" in words
    assert "outside what could have been asked: 0 %" in words
    assert "without a record of how probable the question was" in words


def test_for_programs_there_is_an_answer_or_a_refusal(qbs, simulated):
    answered = qbs("outcomes", "what-if", "--policy", "prefer:impact", "--json")
    refused = qbs("outcomes", "what-if", "--policy", "always:champion", "--json")
    first, second = json.loads(answered.stdout), json.loads(refused.stdout)
    assert set(first) == set(second) == KEYS
    assert set(first["estimates"]) == ESTIMATES
    own = first["estimates"]["doubly_robust"]
    assert own["low"] < own["value"] < own["high"]
    assert (first["refusal"], second["estimates"], second["overlap"]) == (None, None, None)
    assert second["refusal"]["reason"] == "not_told_apart"
    assert (answered.exit_code, refused.exit_code) == (0, 1)


def test_a_refusal_says_in_words_why_and_what_would_help(qbs, simulated):
    result = qbs("outcomes", "what-if", "--policy", "always:impact", "--since", "2026-06-29T00:00:00Z")
    words = " ".join(result.stdout.split())
    assert result.exit_code == 1
    assert "The outcomes cannot tell:" in words
    assert "are too few; it takes 100 in 30" in words
    assert "Wait for more outcomes, or widen the filter." in words
    assert "it would have been" not in words


def test_a_tenant_without_outcomes_is_told_so(qbs, home):
    result = qbs("outcomes", "what-if", "--policy", "always:impact", "--tenant", "nobody")
    assert result.exit_code == 1
    assert "0 resolved outcomes" in " ".join(result.stdout.split())


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (("--policy", "impact"), 3, "'impact' is no policy; write always:WORDS"),
        (("--policy", "always:impacts"), 3, "'impacts' is none of the words for an action"),
        (("--policy", "always:impact", "--by", "delivery"), 3, "--by is for runs and variants"),
        (("--policy", "variant:recorded"), 3, "variants that can are rules and llm"),
        (("--policy", "run:nothing"), 2, "there is no run 'nothing'"),
        (("--policy", "variant:rules", "--by", "colour"), 2, "colour is none of"),
    ],
)
def test_what_cannot_be_asked_says_what_can(qbs, simulated, options, code, says):
    result = qbs("outcomes", "what-if", *options)
    assert result.exit_code == code
    assert says in " ".join((result.stdout + result.stderr).replace("│", " ").split())


def test_a_run_over_other_conversations_says_nothing_of_these(qbs, simulated, home):
    assert qbs("replay", "talks").exit_code == 0
    result = qbs("outcomes", "what-if", "--policy", "run:latest")
    assert result.exit_code == 1
    assert "Replay the conversations that these outcomes come from" in " ".join(result.stdout.split())
