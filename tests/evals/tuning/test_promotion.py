"""The gate, on runs by a fake model that follows certain words: better passes, worse is stopped, neutral is tied."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from evals.evaluation import evaluate
from evals.gates import Gate, Outcome, parse
from evals.inference.verdict import Verdict
from evals.records import Variant
from evals.runs.folder import FINISHED
from evals.tuning.decision import Decision, Finding
from evals.tuning.must_not_break import MustNotBreak, ProtectedTurn
from evals.tuning.promotion import decide
from evals.tuning.promotion_file import Limits, PromotionRules
from evals.tuning.promotion_runs import FoundRuns, NamedSet, find_runs, missing_runs
from evals.tuning.turn_faults import turn_state
from tests.evals.tuning.prompt_sets_by_model import (
    ENGINE,
    LISTEN,
    LISTEN_BUT,
    MODELS,
    MUTE,
    PITCH,
    POLITE,
    ScoresInMemory,
    dataset,
    runs_of,
    shipped,
    told,
)

IN_PRODUCTION = NamedSet(shipped(), "shipped")
RULES = PromotionRules()


@dataclass(frozen=True)
class World:
    """A folder of finished runs of every set, and a turn that only `LISTEN_BUT` answers worse than production does."""

    home: Path
    kept: tuple[str, int]
    store: ScoresInMemory

    def found(self, candidate: NamedSet, production: NamedSet = IN_PRODUCTION) -> tuple[FoundRuns, ...]:
        return find_runs(self.home / "runs", [dataset()], production, candidate, MODELS, engine=ENGINE)

    def decide(self, words: str, rules: PromotionRules = RULES, **asked: Any) -> Decision:
        candidate = named(words)
        return decide(rules, self.found(candidate), IN_PRODUCTION, candidate, store=self.store, **asked)  # type: ignore[arg-type]

    def protected(self, *, why: str = "the demo") -> ProtectedTurn:
        return MustNotBreak(self.home / "list.jsonl").add(dataset(), *self.kept, by="ines", why=why)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    home = tmp_path_factory.mktemp("promotion")
    (production,) = asyncio.run(runs_of(home, shipped()))
    scores = evaluate(production, dataset()).scores()
    turns = {(id_, turn) for id_, turn, _ in scores.records}
    kept = min(turn for turn in turns if "question.type" in turn_state(scores, turn).right)
    said = dataset().conversation(kept[0]).turns[kept[1]].text
    asyncio.run(runs_of(home, *map(told, (LISTEN, PITCH, POLITE, LISTEN_BUT, MUTE)), harmed=said))
    return World(home, kept, ScoresInMemory())


def named(words: str) -> NamedSet:
    return NamedSet(told(words), told(words).short)


def about(decision: Decision, *names: str) -> list[Finding]:
    return [finding for finding in decision.findings if finding.about in names]


def test_a_better_prompt_passes(world: World) -> None:
    decision = world.decide(LISTEN)
    assert decision.passed
    assert decision.verdict is Verdict.BETTER
    (finding,) = about(decision, "question.type")
    assert finding.outcome is Outcome.PASSED
    assert finding.figure is not None
    assert finding.figure.low is not None
    assert finding.figure.low > 0
    assert "is better" in finding.reason
    assert [(own.dataset, own.conversations) for own in decision.runs] == [("b2b_discovery", 10)]


def test_a_worse_prompt_is_stopped_with_the_turns_that_say_why(world: World) -> None:
    decision = world.decide(PITCH)
    assert not decision.passed
    assert decision.verdict is Verdict.WORSE
    worse = {finding.about for finding in decision.blocking}
    assert "conduct.questions_per_message" in worse
    assert {turn.metric.name for turn in decision.turns} <= worse
    told_of = [turn for turn in decision.turns if turn.metric.name == "conduct.questions_per_message"]
    assert [(turn.before, turn.after) for turn in told_of] == [(1.0, 2.0)] * 3
    assert all(turn.gain < 0 for turn in decision.turns)
    ids = {own.id for own in dataset().conversations}
    assert {turn.conversation_id for turn in decision.turns} <= ids
    assert "Questions per message is worse: 1.00 now, 2.00 then" in decision.sentence


def test_a_neutral_prompt_is_tied_and_passes_only_as_such(world: World) -> None:
    meant = world.decide(POLITE, neutral=True)
    assert (meant.passed, meant.verdict) == (True, Verdict.TIED)
    unsaid = world.decide(POLITE)
    assert (unsaid.passed, unsaid.verdict) == (False, Verdict.TIED)
    assert [finding.kind for finding in unsaid.blocking] == ["verdict"]
    assert "neutral" in unsaid.sentence


def test_questions_that_only_fallbacks_answered_are_not_tied_but_unknown(world: World) -> None:
    rules = replace(RULES, limits=Limits(fallbacks=1.0))
    decision = world.decide(MUTE, rules, neutral=True)
    assert (decision.passed, decision.verdict) == (False, Verdict.NOT_ENOUGH_DATA)
    (finding,) = about(decision, "question.type")
    assert (finding.outcome, finding.blocks) == (Outcome.NOT_ENOUGH_DATA, True)
    assert "no turn was counted in both runs" in finding.reason


def test_a_better_prompt_passes_as_neutral_too_and_a_worse_one_never_does(world: World) -> None:
    assert world.decide(LISTEN, neutral=True).passed
    assert not world.decide(PITCH, neutral=True).passed


def test_a_turn_that_must_not_break_blocks_an_otherwise_better_version(world: World) -> None:
    assert world.decide(LISTEN_BUT).passed
    protected = world.protected()
    decision = world.decide(LISTEN_BUT, protected=[protected])
    assert (decision.passed, decision.verdict) == (False, Verdict.BETTER)
    assert [finding.kind for finding in decision.blocking] == ["must not break"]
    (broken,) = decision.broken
    assert broken.protected == protected
    assert "one question a message" in broken.what
    assert f"{protected.title} must not break, and does" in decision.sentence
    assert world.decide(LISTEN, protected=[protected]).passed


def test_a_protected_turn_that_is_gone_blocks_and_says_what_to_do(world: World) -> None:
    gone = world.protected().model_copy(update={"turn": 998})
    decision = world.decide(LISTEN, protected=[gone])
    assert [finding.outcome for finding in decision.blocking] == [Outcome.NOT_ENOUGH_DATA]
    assert "take it off the list" in decision.sentence


def test_missing_runs_block_with_the_command_that_makes_them(world: World) -> None:
    decision = world.decide("Never run.")
    short = told("Never run.").short
    assert (decision.passed, decision.verdict) == (False, Verdict.NOT_ENOUGH_DATA)
    assert [run.command for run in decision.missing] == [f"qbs replay b2b_discovery --variant llm --prompts {short}"]
    assert all(run.command in decision.sentence for run in decision.missing)


@pytest.mark.parametrize(
    "changes", [{"reasoning_model": "openai/other"}, {"fast_model": "openai/other"}], ids=["reasoning", "fast"]
)
def test_runs_of_other_models_do_not_count(world: World, changes: Mapping[str, str]) -> None:
    models = MODELS.model_copy(update=dict(changes))
    (found,) = find_runs(world.home / "runs", [dataset()], IN_PRODUCTION, named(LISTEN), models, engine=ENGINE)
    assert (found.production, found.candidate) == (None, None)


def test_runs_over_other_conversations_or_unfinished_ones_do_not_count(world: World, tmp_path: Path) -> None:
    candidate = named(LISTEN)
    part = replace(dataset(), hashes=dict(list(dataset().hashes.items())[1:]))
    (found,) = find_runs(world.home / "runs", [part], IN_PRODUCTION, candidate, MODELS, engine=ENGINE)
    assert (found.production, found.candidate) == (None, None)
    (whole,) = world.found(candidate)
    assert whole.candidate is not None
    finished = whole.candidate.path / FINISHED
    moved = tmp_path / FINISHED
    finished.rename(moved)
    try:
        (found,) = world.found(candidate)
        assert found.candidate is None
        missing = missing_runs([found], IN_PRODUCTION, candidate, "llm:a b")
        assert [own.command for own in missing] == [
            f"qbs replay b2b_discovery --variant 'llm:a b' --prompts {candidate.name}"
        ]
    finally:
        moved.rename(finished)


def test_of_several_finished_runs_the_first_counts_and_their_number_is_told(world: World, tmp_path: Path) -> None:
    (before,) = world.found(named(LISTEN))
    assert before.candidate is not None
    assert (before.production_runs, before.candidate_runs) == (1, 1)
    again = world.home / "runs" / "replayed-until-it-passed"
    shutil.copytree(before.candidate.path, again)
    try:
        manifest = json.loads((again / "manifest.json").read_text())
        manifest |= {"created_at": "2999-01-01T00:00:00Z", "run_id": again.name}
        (again / "manifest.json").write_text(json.dumps(manifest))
        (after,) = world.found(named(LISTEN))
        assert after.candidate is not None
        assert after.candidate.path == before.candidate.path
        assert (after.production_runs, after.candidate_runs) == (1, 2)
        decision = world.decide(LISTEN)
        (finding,) = [own for own in decision.findings if own.kind == "runs"]
        name = told(LISTEN).short
        assert finding.reason == f"there are 2 finished runs of {name} over b2b_discovery; the first counts"
        assert (finding.outcome, decision.passed) == (Outcome.PASSED, True)
        (runs,) = decision.evidence()["runs"]
        assert (runs["production_runs"], runs["candidate_runs"]) == (1, 2)
    finally:
        shutil.rmtree(again)


def test_runs_by_another_engine_do_not_count(world: World) -> None:
    (found,) = find_runs(world.home / "runs", [dataset()], IN_PRODUCTION, named(LISTEN), MODELS, engine="older")
    assert (found.production, found.candidate) == (None, None)


def test_recorded_answers_of_the_same_models_are_as_good(world: World) -> None:
    recorded = Variant(name="recorded", reasoning_model=MODELS.reasoning_model, fast_model=MODELS.fast_model)
    (found,) = find_runs(world.home / "runs", [dataset()], IN_PRODUCTION, named(LISTEN), recorded, engine=ENGINE)
    assert found.production is not None
    assert found.candidate is not None


@pytest.mark.parametrize(
    ("rules", "kind", "words"),
    [
        (replace(RULES, minimum_turns=1000), "data", "it takes 1000 of 6"),
        (replace(RULES, minimum_conversations=50), "data", "it takes 40 of 50"),
        (replace(RULES, limits=Limits(latency_p95_ms=0.001)), "limit", "more than the limit"),
        (replace(RULES, limits=Limits(cost_usd=0.5)), "limit", "is not known, and there is a limit"),
        (replace(RULES, gates=(Gate(parse("B.question.type < 99 %"), "nearly perfect"),)), "gate", "nearly perfect"),
        (replace(RULES, gates=(Gate(parse("question.target < 0"), "", True),)), "gate", "question.target"),
    ],
    ids=["turns", "conversations", "latency", "cost", "condition", "too little for a condition"],
)
def test_a_better_prompt_is_stopped_by(world: World, rules: PromotionRules, kind: str, words: str) -> None:
    decision = world.decide(LISTEN, rules)
    assert decision.verdict is Verdict.BETTER
    assert [finding.kind for finding in decision.blocking] == [kind]
    assert words in decision.sentence


def test_what_is_in_production_passes_without_any_run(world: World) -> None:
    decision = decide(RULES, (), IN_PRODUCTION, NamedSet(shipped(), "shipped"))
    assert (decision.passed, decision.verdict, decision.runs) == (True, Verdict.TIED, ())


def test_a_prompt_for_drafts_alone_passes_as_neutral_only(world: World) -> None:
    candidate = NamedSet(told("Sign with your name.", "email"), "x")
    assert decide(RULES, (), IN_PRODUCTION, candidate, neutral=True).passed
    decision = decide(RULES, (), IN_PRODUCTION, candidate)
    assert not decision.passed
    assert "only email differs" in decision.sentence


def test_the_evidence_is_plain_json_with_every_figure(world: World) -> None:
    decision = world.decide(LISTEN_BUT, protected=[world.protected()])
    found = json.loads(json.dumps(decision.evidence(), allow_nan=False))
    assert found["passed"] is False
    assert found["verdict"] == "better"
    assert [run["turns"] for run in found["runs"]] == [own.turns for own in decision.runs]
    assert found["broken"][0]["why"] == "the demo"
    assert sum(own["blocks"] for own in found["findings"]) == len(decision.blocking)
    figure = next(own for own in found["findings"] if own["about"] == "question.type")["figure"]
    assert figure["low"] < figure["value"] < figure["high"]


def test_whatever_is_decided_is_decided_again(world: World) -> None:
    decisions: Sequence[Decision] = [world.decide(PITCH) for _ in range(2)]
    assert decisions[0] == decisions[1]
