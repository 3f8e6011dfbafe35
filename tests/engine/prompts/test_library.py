"""Prompts are found by name and version in the shipped folder and in folders on top of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import PromptError
from engine.prompts.library import PromptLibrary
from tests.engine.prompts.files import prompt_file, write


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    for version in ("v1", "v2", "v10"):
        write(tmp_path / "shipped", prompt_file(f"## user\n{version} {{{{ who }}}}", version=version), version=version)
    return tmp_path / "shipped"


@pytest.fixture
def drafts(tmp_path: Path) -> Path:
    write(tmp_path / "drafts", prompt_file("## user\nsofter {{ who }}", version="v11"), version="v11")
    write(tmp_path / "drafts", prompt_file(name="farewell"), name="farewell")
    return tmp_path / "drafts"


def test_without_a_choice_the_newest_shipped_version_is_used(shipped: Path, drafts: Path) -> None:
    assert PromptLibrary(shipped=shipped).load("greeting").version == "v10"
    assert PromptLibrary(drafts, shipped=shipped).load("greeting").version == "v10"


def test_a_draft_is_used_where_it_is_named_or_chosen(shipped: Path, drafts: Path) -> None:
    library = PromptLibrary(drafts, shipped=shipped)
    assert library.load("greeting", "v11").version == "v11"
    assert library.choosing({"greeting": "v11"}).load("greeting").version == "v11"
    assert library.choosing({"greeting": "v11"}).load("greeting", "v2").version == "v2"
    assert library.load("greeting").version == "v10"


def test_all_names_and_versions_are_listed_in_order(shipped: Path, drafts: Path) -> None:
    library = PromptLibrary(drafts, shipped=shipped)
    assert library.names() == ("farewell", "greeting")
    assert library.versions("greeting") == ("v1", "v2", "v10", "v11")
    assert library.load("farewell").version == "v1"


def test_a_run_finds_again_what_it_recorded(shipped: Path, drafts: Path) -> None:
    library = PromptLibrary(drafts, shipped=shipped)
    draft = library.load("greeting", "v11")
    assert library.find(draft.ref) is draft
    assert library.find(f"greeting@{draft.hash}") is draft
    for ref in ("greeting@00000000", "greeting@", "greeting"):
        with pytest.raises(PromptError, match="no version of the prompt 'greeting' has the content"):
            library.find(ref)


def test_hashes_identify_the_prompt_set_in_use(shipped: Path, drafts: Path) -> None:
    library = PromptLibrary(drafts, shipped=shipped)
    chosen = library.choosing({"greeting": "v11"})
    assert chosen.hashes(["greeting"]) == {"greeting": library.load("greeting", "v11").hash}
    assert chosen.hashes() != library.hashes()
    assert list(library.hashes()) == ["farewell", "greeting"]


@pytest.mark.parametrize(
    ("name", "version", "problem"),
    [
        ("salute", None, "there is no prompt 'salute'; there are: greeting"),
        ("greeting", "v3", "has no version 'v3'; it has: v1, v2, v10"),
        ("salute", "v1", "has no version 'v1'; it has: none"),
        ("../shipped", "v1", "is not the name of a prompt"),
        ("*", None, "is not the name of a prompt"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(shipped: Path, name: str, version: str | None, problem: str) -> None:
    with pytest.raises(PromptError) as caught:
        PromptLibrary(shipped=shipped).load(name, version)
    assert problem in str(caught.value)


def test_one_version_with_two_contents_is_refused(shipped: Path, drafts: Path) -> None:
    write(drafts, prompt_file("## user\nother {{ who }}", version="v2"), version="v2")
    write(drafts, (shipped / "greeting" / "v1.md").read_bytes())
    library = PromptLibrary(drafts, shipped=shipped)
    assert library.load("greeting", "v1").version == "v1"
    with pytest.raises(PromptError, match="greeting v2 stands in two folders with different content"):
        library.load("greeting", "v2")


@pytest.mark.parametrize("inside", [{"name": "farewell"}, {"version": "v9"}])
def test_a_file_that_says_it_is_another_is_refused(tmp_path: Path, inside: dict[str, str]) -> None:
    write(tmp_path, prompt_file(**inside))
    with pytest.raises(PromptError, match="file and text must agree"):
        PromptLibrary(shipped=tmp_path).load("greeting")


def test_reading_changes_no_file(shipped: Path, drafts: Path) -> None:
    def files() -> dict[Path, tuple[bytes, int]]:
        both = [*shipped.rglob("*"), *drafts.rglob("*")]
        return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in both if path.is_file()}

    before = files()
    library = PromptLibrary(drafts, shipped=shipped)
    for name in library.names():
        for version in library.versions(name):
            library.load(name, version)
    assert files() == before
