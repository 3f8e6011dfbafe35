"""Versions of prompts: kept byte for byte, never overwritten, found again by name, hash and label."""

from __future__ import annotations

import multiprocessing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.errors import InputError, PromptError
from engine.prompts import PromptLibrary
from evals.errors import RunDamagedError
from evals.records import Variant
from evals.runs.folder import RunFolder
from evals.tuning.versions import PromptWorkspace, runs_with
from tests.evals.tuning.prompt_files import QUESTION, question
from tests.evals.values import conversation, manifest

BOM = b"\xef\xbb\xbf"
FORMS = {
    "plain": lambda content: content,
    "CRLF": lambda content: content.replace(b"\n", b"\r\n"),
    "mixed ends": lambda content: content.replace(b"\n", b"\r\n", 9),
    "marked": lambda content: BOM + content,
    "no last end": lambda content: content.rstrip(b"\n"),
    "comments and order": lambda content: content.replace(
        b"model_role: fast\ntemperature: 0.3", b"# hotter is worse\ntemperature: 0.3   # tried 0.7\nmodel_role: 'fast'"
    ),
}


@pytest.fixture
def workspace(tmp_path: Path) -> PromptWorkspace:
    return PromptWorkspace(tmp_path / "prompts")


def save(workspace: PromptWorkspace, text: str | bytes, **more):
    return workspace.save("question", text, **{"author": "Ada", "parent": "question@v1", **more})


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


@pytest.mark.parametrize("form", FORMS)
def test_from_a_file_to_a_version_to_a_folder_every_byte_stays(workspace: PromptWorkspace, tmp_path: Path, form: str):
    content = FORMS[form](question(version="v7").encode())
    saved = save(workspace, content)
    assert saved.version == "v7"
    exported = workspace.export([saved], tmp_path / "checkout")
    assert [file.read_bytes() for file in exported] == [content]
    other = PromptWorkspace(tmp_path / "other")
    (taken,) = other.take(tmp_path / "checkout", author="Bob")
    assert taken.prompt.content == content
    assert taken.about == saved.about
    assert other.take(tmp_path / "checkout", author="Bob") == ()
    assert not (tmp_path / "checkout" / ".lock").exists()


@pytest.mark.parametrize("form", FORMS)
def test_an_edit_changes_its_own_words_and_the_version_and_nothing_else(workspace: PromptWorkspace, form: str):
    before = FORMS[form](question("Under 44 words.", version="v5").encode())
    parent = save(workspace, before)
    shown = parent.text.removeprefix("\ufeff").replace("\r\n", "\n")  # as an editor in a browser holds it
    saved = save(workspace, shown.replace("Under 44 words.", "Be short."), parent=parent.ref)
    assert saved.version == "v6"
    assert saved.prompt.content == before.replace(b"Under 44 words.", b"Be short.").replace(
        b"version: v5", b"version: v6"
    )
    assert saved.parent == f"question@{parent.hash}"


def test_versions_are_counted_on_and_the_same_content_is_the_same_version(workspace: PromptWorkspace):
    first, second = save(workspace, question("One.")), save(workspace, question("Two."))
    assert (first.version, second.version) == ("v2", "v3")
    kept = files(workspace.folder)
    assert save(workspace, question("One."), author="Bob", note="again") == first
    assert save(workspace, question("One.", version="v2")) == first
    assert save(workspace, QUESTION.content).shipped
    assert files(workspace.folder) == kept
    named = save(workspace, question("One."), version="bold")
    assert (named.version, named.text) == ("bold", question("One.", version="bold"))
    assert [own.version for own in workspace.versions("question")] == ["bold", "v1", "v2", "v3"]


def test_what_is_remembered_of_a_version_is_found_again(workspace: PromptWorkspace):
    date = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
    saved = save(workspace, question(), note="shorter", date=date)
    (found,) = [own for own in PromptWorkspace(workspace.folder).versions("question") if not own.shipped]
    assert found == saved
    assert (found.about.author, found.about.date, found.about.note) == ("Ada", date, "shorter")
    assert found.parent == f"question@{QUESTION.hash}"


@pytest.mark.parametrize(
    ("ref", "version"),
    [
        ("question", "v1"),
        ("question@v2", "v2"),
        ("question/v2", "v2"),
        (f"question@{QUESTION.hash[:8]}", "v1"),
        (QUESTION.ref, "v1"),
        (f"question@{QUESTION.hash}", "v1"),
    ],
)
def test_a_version_is_named_by_its_name_or_its_content(workspace: PromptWorkspace, ref: str, version: str):
    save(workspace, question())
    assert workspace.version(ref).version == version


@pytest.mark.parametrize(
    ("act", "problem"),
    [
        (lambda own: own.version("qestion"), "there is no prompt 'qestion'; there are: chat, context"),
        (lambda own: own.version("question@v9"), "has no version 'v9'; it has: v1"),
        (
            lambda own: save(own, question().replace("name: question", "name: chat")),
            "line 4: this is the prompt 'chat'",
        ),
        (lambda own: save(own, question("{% for x in y %}{% endfor %}")), "loops cannot be used"),
        (lambda own: save(own, question("{{ acount }}")), "unknown variable 'acount'"),
        (lambda own: save(own, question(), parent="chat@v1"), "cannot be the parent"),
        (lambda own: save(own, question(), version="V 2"), "cannot be the name of a version"),
        (lambda own: save(own, question(), author=" "), "the author is missing"),
        (lambda own: save(own, question(), note="x" * 2001), "at most 2,000"),
        (lambda own: save(own, question(), note="a\u202eb"), "RIGHT-TO-LEFT OVERRIDE"),
        (lambda own: own.take(own.folder, author="Ada"), "has no files such as chat/v2.md"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_kept(workspace: PromptWorkspace, act, problem: str):
    with pytest.raises(PromptError) as caught:
        act(workspace)
    assert problem in str(caught.value)
    assert files(workspace.folder) == {}


def test_another_content_under_the_same_version_is_refused_with_what_to_do(workspace: PromptWorkspace, tmp_path: Path):
    save(workspace, question("One."))
    kept = files(workspace.folder)
    there = PromptWorkspace(tmp_path / "theirs")
    save(there, question("Two."))
    save(there, question("Three."), version="v0")
    for clash in (
        lambda: save(workspace, question("Two."), version="v2"),
        lambda: save(workspace, question("Two."), version="v1"),
        lambda: workspace.take(there.folder, author="Ada"),
        lambda: there.export(workspace.versions("question"), there.folder),
    ):
        before = files(there.folder)
        with pytest.raises(PromptError, match=r"question v[12] is there with other content.*such as v[1-9]") as caught:
            clash()
        assert "nothing is overwritten" in str(caught.value)
        assert files(workspace.folder) == kept
        assert files(there.folder) == before


def test_a_file_put_there_by_hand_is_a_version_of_nobody_until_it_is_saved(workspace: PromptWorkspace):
    file = workspace.folder / "question" / "v4.md"
    file.parent.mkdir(parents=True)
    file.write_text(question(version="v4"), encoding="utf-8")
    assert workspace.version("question@v4").about is None
    assert save(workspace, question(version="v4")).about.author == "Ada"
    assert workspace.version("question@v4").about.author == "Ada"
    file.write_text(question("Changed.", version="v4"), encoding="utf-8")
    with pytest.raises(PromptError, match=r"v4\.md was changed after it was saved"):
        workspace.versions("question")


def test_a_torn_line_is_cut_off_and_an_altered_one_is_said(workspace: PromptWorkspace):
    first = save(workspace, question("One."))
    history = workspace.folder / "versions.jsonl"
    whole = history.read_bytes()
    history.write_bytes(whole + b'{"check":"0000')
    assert workspace.version("question@v2") == first
    second = save(workspace, question("Two."))
    assert workspace.version("question@v3") == second
    history.write_bytes(whole.replace(b"Ada", b"Eva") + history.read_bytes()[len(whole) :])
    with pytest.raises(RunDamagedError, match="line 1"):
        workspace.versions()


def _save_some(folder: str, author: str) -> None:
    for number in range(3):
        save(PromptWorkspace(Path(folder)), question(f"{author} {number}."), author=author)
        save(PromptWorkspace(Path(folder)), question(f"Both {number}."), author=author)


def test_processes_that_save_at_once_lose_and_mix_nothing(workspace: PromptWorkspace):
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_save_some, args=(str(workspace.folder), name)) for name in ("Ada", "Bob")]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    own = [version for version in workspace.versions("question") if not version.shipped]
    assert [version.version for version in own] == [f"v{number}" for number in range(2, 11)]
    assert all(version.about is not None for version in own)
    said = {version.text.split("- Natural.")[0].rpartition("one question mark.")[2] for version in own}
    assert len(said) == 9


def test_sets_are_named_by_label_hash_or_their_versions(workspace: PromptWorkspace):
    save(workspace, question("One."))
    found = workspace.save_set(["question@v2"], author="Ada", label="brief", note="shorter")
    assert found.prompts["question"] == workspace.version("question@v2").hash
    assert found.about.parent == workspace.shipped.hash
    for name in ("brief", found.hash, found.short, "question@v2", "question@v2,extraction@v1"):
        assert workspace.set_named(name).hash == found.hash, name
        assert workspace.has_set(name)
    assert workspace.set_named("shipped").hash == workspace.shipped.hash
    assert workspace.set_of({"question": found.prompts["question"]}).hash == found.hash
    assert [own.name for own in workspace.sets()] == ["shipped", "brief"]
    assert workspace.set_names() == ("shipped", "brief")


def test_a_set_is_kept_once_and_may_have_more_labels(workspace: PromptWorkspace):
    save(workspace, question("One."))
    first = workspace.save_set(["question@v2"], author="Ada")
    assert workspace.set_names() == ("shipped", first.short)
    again = workspace.save_set(["question@v2"], author="Bob", label="brief")
    assert (again.hash, again.labels, again.about.author) == (first.hash, ("brief",), "Ada")
    assert workspace.save_set([], author="Ada", label="as it came").labels == ("shipped", "as it came")
    save(workspace, question("Two."))
    second = workspace.save_set(["question@v3"], author="Ada", parent="brief")
    assert second.about.parent == first.hash
    for label in ("brief", "shipped", "0123abcd", "a@b", ""):
        with pytest.raises(PromptError, match="label"):
            workspace.save_set(["question@v3"], author="Ada", label=label)


def test_a_set_that_is_not_there_is_named_with_near_ones(workspace: PromptWorkspace):
    save(workspace, question("One."))
    workspace.save_set(["question@v2"], author="Ada", label="brief")
    assert not workspace.has_set("breif")
    with pytest.raises(InputError, match="no prompt set 'breif'; did you mean brief"):
        workspace.set_named("breif")


def test_the_library_uses_what_is_named_by_content_and_knows_the_rest(workspace: PromptWorkspace):
    saved = save(workspace, question("One."))
    library = workspace.library({"question": saved.hash})
    assert library.load("question").hash == saved.hash
    assert library.load("extraction").hash == PromptLibrary().load("extraction").hash
    assert library.find(QUESTION.ref).version == "v1"
    assert workspace.library().load("question").version == "v1"
    with pytest.raises(PromptError, match="no version of the prompt 'question' has the content"):
        workspace.library({"question": "0" * 64})


def test_a_shipped_version_of_the_same_name_as_one_s_own_breaks_nothing(workspace: PromptWorkspace, tmp_path: Path):
    saved = save(workspace, question("One."))
    shipped = tmp_path / "shipped"
    for name, text in workspace.shipped.contents().items():
        (shipped / name).mkdir(parents=True)
        (shipped / name / "v1.md").write_text(text, encoding="utf-8")
    (shipped / "question" / "v2.md").write_text(question("Newer.", version="v2"), encoding="utf-8")
    newer = PromptWorkspace(workspace.folder, shipped)
    assert "Newer." in newer.shipped.contents()["question"]
    assert newer.library({"question": saved.hash}).load("question").hash == saved.hash
    assert newer.version(saved.ref) == saved
    with pytest.raises(PromptError, match=r"either of 2 versions.*question@"):
        newer.version("question@v2")
    assert save(newer, question("Third.")).version == "v3"


def test_the_runs_that_used_a_version_are_found_newest_first(workspace: PromptWorkspace, tmp_path: Path):
    saved = save(workspace, question())
    used = {"question": saved.hash, "extraction": "e" * 64}
    for number, prompts in enumerate([used, {"question": QUESTION.hash}, {}, used]):
        made = manifest(conversation(f"talk-{number}"), variant=Variant(name="llm:m", prompts=prompts))
        RunFolder.create(
            tmp_path / "runs", made.model_copy(update={"created_at": datetime(2026, 3, number + 1, tzinfo=UTC)})
        )
    found = runs_with(tmp_path / "runs", {"question": saved.hash})
    assert len(found) == 2
    first, second = (RunFolder.open(tmp_path / "runs" / name).manifest for name in found)
    assert first.created_at > second.created_at
    assert runs_with(tmp_path / "runs", workspace.shipped.hashes(["question", "extraction"])) == ()
