"""`qbs optimise` against a fake model that rewards a known instruction: found, kept, tested, within its budget."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.llm.fake import FakeModel, FakeModelConfig
from evals.library import Dataset, load_dataset
from evals.tuning.search_record import searches
from evals.tuning.versions import PromptWorkspace
from tests.evals.tuning.searching import KNOWN_INSTRUCTION, MODEL, RewardsAnInstruction, talks_with_labels

ASKED = ("optimise", "extraction", "--dataset", "talks", "--metric", "extraction.f1", "--variant", f"llm:{MODEL}")
MODELS = {name: RewardsAnInstruction(["Be careful.", KNOWN_INSTRUCTION]) for name in ("finds", "stops", "again")}


@pytest.fixture
def talks(shipped: Path, home: Path, fake: FakeModel, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    monkeypatch.setenv("QBS_API_BASE", fake.base_url)
    monkeypatch.setenv("QBS_API_KEY", "none")
    monkeypatch.setenv("QBS_DEADLINE_SECONDS", "60")
    return talks_with_labels(shipped / "talks", 10)


@pytest.mark.parametrize("fake", [FakeModelConfig(answers=MODELS["finds"])], indirect=True)
def test_a_better_version_is_found_kept_and_tested_on_what_was_held_out(qbs, talks, home, fake):
    result = qbs(*ASKED, "--calls", 120, "--json")
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["ended"] == "nothing left to improve"
    assert [own["scores"] and own["scores"]["extraction.f1"] for own in told["candidates"]] == [0.0, None, 1.0]
    assert [own["on_front"] for own in told["candidates"]] == [False, False, True]
    (row,) = told["comparison"]["rows"]
    assert (row["metric"], row["first_value"], row["second_value"]) == ("extraction.f1", 0.0, 1.0)
    assert (told["held_out"]["complete"], len(told["held_out_conversations"])) == (True, 3)
    assert "Next: qbs prompts diff" in result.stderr
    assert fake.stats.requests <= 120
    (kept,) = searches(home / "searches")
    assert (kept.search_id, kept.winner) == (told["search_id"], told["winner"])
    workspace = PromptWorkspace(home / "prompts")
    versions = [workspace.version(own.version) for own in kept.candidates]
    assert [own.about and own.about.author for own in versions] == [None, "optimiser", "optimiser"]
    assert KNOWN_INSTRUCTION in versions[2].text
    assert versions[2].parent == f"extraction@{versions[0].hash}"
    assert workspace.set(kept.winner).prompts["extraction"] == versions[2].hash


@pytest.mark.parametrize("fake", [FakeModelConfig(answers=MODELS["stops"])], indirect=True)
def test_it_stops_at_its_limit_and_the_same_command_with_more_pays_for_nothing_twice(qbs, talks, home, fake):
    stopped = qbs(*ASKED, "--calls", 60)
    assert stopped.exit_code == 1
    assert "limit reached" in stopped.stdout
    assert "the same command goes on" in stopped.stderr
    asked = fake.stats.requests
    assert asked <= 60
    done = qbs(*ASKED, "--calls", 150)
    assert done.exit_code == 0
    seen = MODELS["stops"].seen
    assert len(seen) == len(set(seen))
    assert "The search never saw them." in done.stdout
    assert qbs(*ASKED, "--calls", 150).exit_code == 0
    assert fake.stats.requests == len(seen)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("system", "--metric", "extraction.f1", "--calls", "100"), 3, "'system' cannot be searched for"),
        (("extraction", "--metric", "extraction.f2", "--calls", "100"), 2, "did you mean extraction.f1"),
        (("extraction", "--metric", "operations.tokens", "--calls", "100"), 3, "is no share"),
        (("extraction", "--metric", "extraction.f1", "--calls", "9"), 3, "9 calls are too few"),
        (("extraction", "--metric", "extraction.f1", "--calls", "100", "--section", "end"), 3, "no section 'end'"),
        (("extraction", "--metric", "extraction.f1", "--calls", "100", "--from", "mine"), 2, "mine"),
    ],
)
def test_what_cannot_be_searched_for_is_refused_before_anything_is_asked(qbs, shipped, home, arguments, code, said):
    talks_with_labels(shipped / "talks", 10)
    result = qbs("optimise", *arguments, "--dataset", "talks", "--variant", f"llm:{MODEL}")
    assert result.exit_code == code
    assert said in result.stderr
    assert not (home / "searches").exists()


def test_without_a_model_it_says_so(qbs, shipped, home):
    talks_with_labels(shipped / "talks", 10)
    result = qbs("optimise", "extraction", "--dataset", "talks", "--metric", "extraction.f1", "--calls", "200")
    assert result.exit_code == 4
    assert "QBS_REASONING_MODEL" in result.stderr


def test_conversations_of_the_test_part_take_no_part(shipped, home):
    from evals.library import write_manifest
    from evals.tuning.search_turns import hold_out

    talks_with_labels(shipped / "talks", 10)
    write_manifest(shipped / "talks", title="t", licence="l", split={"talk-0": "test", "talk-7": "test"})
    halves = hold_out(load_dataset(shipped / "talks"), 0.3)
    ids = [own.id for own in (*halves.search, *halves.held_out)]
    assert len(ids) == len(set(ids)) == 8
    assert not {"talk-0", "talk-7"} & set(ids)
