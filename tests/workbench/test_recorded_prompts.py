"""Which prompts recorded answers are looked up with, by what is released and how the conversation began."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.folding import KeptTurn
from engine.model.analysis import Analysis, Expansion, Extraction, Question, Source
from engine.model.conversation import Speaker, Turn
from engine.prompts import ANALYSIS_PROMPTS, PromptSet
from engine.rules import recommend_by_seed
from evals.tuning.versions import PromptWorkspace
from tests.engine.values import state
from workbench.live.recorded_prompts import covers, recorded_prompts
from workbench.variants import covered_prompts


@pytest.fixture
def workspace(tmp_path: Path) -> PromptWorkspace:
    return PromptWorkspace(tmp_path / "prompts")


@pytest.fixture
def other(workspace: PromptWorkspace) -> PromptSet:
    """The shipped set with another question prompt, which the workspace has."""
    text = workspace.version("question").text.replace("rationale is one or two sentences", "rationale is one sentence")
    saved = workspace.save("question", text, author="ines")
    return workspace.shipped.with_prompts(saved.prompt)


def hashes(prompts: PromptSet) -> dict[str, str]:
    return prompts.hashes(ANALYSIS_PROMPTS)


def answered(prompts: PromptSet, kind: str = "recorded") -> KeptTurn:
    """A customer's turn that was read with these prompts."""
    sources = [Source(kind=kind, model="m", prompt=prompts.prompt(name).ref) for name in ANALYSIS_PROMPTS]
    analysis = Analysis(
        extraction=Extraction(source=sources[0]),
        question=Question(recommendation=recommend_by_seed(state()), source=sources[1]),
        expansion=Expansion(source=sources[2]),
    )
    return KeptTurn(Turn(index=0, speaker=Speaker.CUSTOMER, text="Hello."), analysis)


def used(covered: list[PromptSet], turns: list[KeptTurn], released: PromptSet, workspace: PromptWorkspace) -> str:
    found = recorded_prompts([hashes(own) for own in covered], turns, released, workspace)
    return "shipped" if found is None else found.load("question").hash


def test_a_conversation_begins_with_what_is_in_production_where_there_are_answers_to_it(
    workspace: PromptWorkspace, other: PromptSet
) -> None:
    shipped = workspace.shipped
    assert used([shipped, other], [], other, workspace) == other.prompt("question").hash
    assert used([shipped], [], other, workspace) == "shipped"
    assert used([shipped, other], [], shipped, workspace) == shipped.prompt("question").hash


def test_it_goes_on_with_the_prompts_that_it_began_with(workspace: PromptWorkspace, other: PromptSet) -> None:
    shipped, both = workspace.shipped, [workspace.shipped, other]
    assert used(both, [answered(shipped)], other, workspace) == shipped.prompt("question").hash
    assert used(both, [answered(other)], shipped, workspace) == other.prompt("question").hash
    assert used(both, [answered(shipped, "llm")], other, workspace) == other.prompt("question").hash


def test_prompts_that_are_nowhere_any_more_give_way_to_the_shipped_ones(
    workspace: PromptWorkspace, other: PromptSet, tmp_path: Path
) -> None:
    empty = PromptWorkspace(tmp_path / "elsewhere")
    assert used([workspace.shipped, other], [answered(other)], workspace.shipped, empty) == "shipped"


def test_what_only_drafts_are_written_with_needs_no_recording(workspace: PromptWorkspace) -> None:
    text = workspace.version("email").text + "\nKind regards."
    saved = workspace.save("email", text, author="ines")
    assert covers([hashes(workspace.shipped)], workspace.shipped.with_prompts(saved.prompt))


@pytest.mark.parametrize(
    ("manifest", "found"),
    [
        ({}, ()),
        ({"prompts": {"question": "a"}}, ({"question": "a"},)),
        ({"prompts": {"question": "a"}, "covers": [{"question": "b"}]}, ({"question": "a"}, {"question": "b"})),
        ({"prompts": {"question": "a"}, "covers": "all of them"}, ({"question": "a"},)),
        ({"covers": [{"question": "b"}, "and others", None]}, ({"question": "b"},)),
    ],
)
def test_a_manifest_says_which_prompts_were_answered(
    tmp_path: Path, manifest: dict[str, object], found: tuple[dict[str, str], ...]
) -> None:
    (tmp_path / "MANIFEST.json").write_text(json.dumps(manifest))
    assert covered_prompts(tmp_path) == found


def test_a_folder_without_a_manifest_says_nothing(tmp_path: Path) -> None:
    assert covered_prompts(tmp_path) == ()
