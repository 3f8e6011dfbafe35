"""Figures over what a search has learned from are told apart from others, also of what was made from its candidates."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.tuning.searched_with import searched_findings, searched_with
from evals.tuning.versions import PromptWorkspace
from tests.evals.tuning.search_records import searched


@pytest.fixture
def workspace(tmp_path: Path) -> PromptWorkspace:
    return PromptWorkspace(tmp_path / "prompts")


def edited(workspace: PromptWorkspace, words: str, parent: str) -> str:
    text = workspace.version(parent).text.rstrip() + f"\n{words}\n"
    return workspace.save("question", text, author="ines", parent=parent).ref


def test_a_candidate_and_what_was_made_from_it_come_from_the_search_and_what_it_began_with_does_not(workspace):
    first = workspace.version("question").ref
    found = edited(workspace, "Be brief.", first)
    later = edited(workspace, "Be kind.", found)
    other = edited(workspace, "Be quick.", first)
    search = searched(first, found)
    for ref, expected in ((first, ()), (other, ()), (found, (search,)), (later, (search,))):
        assert searched_with(workspace.set_named(ref), workspace.versions(), [search]) == expected, ref


def test_it_is_told_of_the_data_set_that_was_learned_from_alone_and_stops_nothing(workspace):
    search = searched("question@00000000", "question@11111111")
    assert list(searched_findings([search], ["others"])) == []
    (told,) = searched_findings([search], ["talks", "others"])
    assert not told.blocks
    assert told.dataset == "talks"
    assert search.search_id in told.reason
    assert "flatter" in told.reason
    assert "2 conversations" in told.reason
