from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from engine.prompts import PromptLibrary
from tests.evals.tuning.prompt_files import QUESTION, question
from tests.workbench.commands.judged_talks import write_labelled


@pytest.fixture
def edited(tmp_path):
    file = tmp_path / "question.md"
    file.write_text(question(), encoding="utf-8")
    return file


@pytest.fixture
def saved(qbs, edited):
    result = qbs("prompts", "save", edited, "--note", "shorter", "--author", "Ada", "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_the_shipped_prompts_are_listed_and_shown_byte_for_byte(qbs):
    listed = json.loads(qbs("prompts", "list", "--json").stdout)
    assert {own["ref"] for own in listed["versions"]} == {f"{n}@{h[:8]}" for n, h in PromptLibrary().hashes().items()}
    assert [own["labels"] for own in listed["sets"]] == [["shipped"]]
    assert qbs("prompts", "show", "question").stdout_bytes == QUESTION.content


def test_a_file_becomes_a_version(qbs, saved, edited):
    assert (saved["version"], saved["parent"]) == ("v2", f"question@{QUESTION.hash}")
    shown = json.loads(qbs("prompts", "show", "question@v2", "--json").stdout)
    assert shown["text"] == question(version="v2")
    assert (shown["author"], shown["note"], shown["runs"]) == ("Ada", "shorter", [])
    assert "confidence" in {field["path"] for field in shown["reply"]}
    facts = qbs("prompts", "show", saved["ref"], "--facts").stdout
    assert "saved by Ada" in facts
    assert "used in 0 runs" in facts
    again = qbs("prompts", "save", edited, "--author", "Bob")
    assert "Nothing was saved: a version with this content is there already." in again.stderr
    assert f"question v2  {saved['ref']}" in again.stdout
    assert "Ada" in qbs("prompts", "list", "question").stdout


def test_versions_are_compared_word_by_word(qbs, saved):
    text = qbs("prompts", "diff", "question@v2").stdout
    assert "[-45-] {+40+}" in text
    pieces = json.loads(qbs("prompts", "diff", "question@v2", "question@v1", "--json").stdout)["pieces"]
    assert {"kind": "added", "text": "45"} in pieces
    assert "They say the same." in qbs("prompts", "diff", "question", "question@v1").stdout
    assert qbs("prompts", "diff", "question@v1").exit_code == 2


def test_a_file_is_checked_by_line(qbs, edited):
    assert "sound; about" in qbs("prompts", "check", edited).stdout
    edited.write_text(question("{{ acount }}"), encoding="utf-8")
    result = qbs("prompts", "check", edited)
    line = question("{{ acount }}").split("{{ acount }}")[0].count("\n") + 1
    assert result.exit_code == 1
    assert f"{edited}:{line}: unknown variable 'acount'" in result.stdout
    found = json.loads(qbs("prompts", "check", edited, "--json").stdout)
    assert (found["sound"], found["problems"][0]["line"]) == (False, line)


def test_a_set_is_labelled_and_a_run_can_use_it(qbs, saved):
    assert json.loads(qbs("prompts", "label", "brief", "question@v2", "--json").stdout)["labels"] == ["brief"]
    for name in ("brief", "question@v2"):
        options = ["talks", "--variant", "llm:openai/nobody", "--prompts", name]
        result = qbs("replay", *options, env={"QBS_RECORDING_MODE": "recorded"})
        assert "4 of 4 turns" in result.stdout, result.stderr
    runs = json.loads(qbs("prompts", "show", "question@v2", "--json").stdout)["runs"]
    assert len(runs) == 1
    assert "brief" in qbs("prompts", "list").stdout


def test_every_label_of_a_set_is_listed(qbs, saved):
    labels = ["brief", "short", "terse", "tight", "plain", "bare"]
    for label in labels:
        qbs("prompts", "label", label, "question@v2", "--author", "Ada")
    qbs("prompts", "label", "as it comes", "question@v1", "--author", "Ada")
    _, sets = qbs("prompts", "list").stdout.split("\n\n")
    assert [line.split("  ")[0] for line in sets.splitlines()[1:]] == ["as it comes", "shipped", *reversed(labels)]
    assert sets.count("the same as bare") == 5
    assert json.loads(qbs("prompts", "list", "--json").stdout)["sets"][1]["labels"] == labels


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        (
            ("replay", "talks", "--variant", "recorded", "--prompts", "breif"),
            2,
            "no prompt set 'breif'; did you mean brief",
        ),
        (("replay", "talks", "--prompts", "brief"), 2, "rules asks no model"),
        (
            ("evaluate", "talks", "--variant", "recorded", "--prompts", "question@v9"),
            2,
            "has no version 'v9'; it has: v1, v2",
        ),
        (("prompts", "show", "qestion"), 2, "there is no prompt 'qestion'; there are: chat"),
        (("prompts", "label", "brief", "question@v1"), 3, "the label 'brief' is that of the set"),
        (("prompts", "examples", "question", "talks/talk-1"), 2, "is not DATASET/CONVERSATION/TURN"),
        (("prompts", "examples", "question", "nowhere/talk-1/1"), 2, "there is no data set 'nowhere'"),
        (("prompts", "promptfoo", "out", "--dataset", "talks"), 3, "no labelled conversations"),
        (("prompts", "export", "out", "question@v1", "--prompts", "brief"), 2, "either versions or a set"),
        (("prompts", "export", "question.md"), 3, "question.md: is a file; name a folder"),
        (("prompts", "promptfoo", "question.md/out", "--dataset", "talks"), 3, "question.md: is a file; name a folder"),
        (("optimise", "qestion", "--metric", "extraction.f1", "--calls", "1"), 2, "did you mean question"),
    ],
)
def test_what_cannot_be_done_is_said_with_the_choices(qbs, saved, arguments, code, problem):
    qbs("prompts", "label", "brief", "question@v2")
    result = qbs(*arguments)
    assert result.exit_code == code, result.stderr
    assert problem in " ".join(result.stderr.split())


def test_versions_go_to_a_folder_and_come_back(qbs, saved, tmp_path, monkeypatch):
    result = qbs("prompts", "export", tmp_path / "checkout")
    assert result.stdout.strip() == str(tmp_path / "checkout" / "question" / "v2.md")
    assert len(qbs("prompts", "export", tmp_path / "whole", "--prompts", "shipped").stdout.split()) == 8
    monkeypatch.setenv("QBS_HOME", str(tmp_path / "elsewhere"))
    (taken,) = json.loads(qbs("prompts", "import", tmp_path / "checkout", "--json").stdout)
    assert {key: taken[key] for key in ("ref", "author", "note", "date")} == {
        key: saved[key] for key in ("ref", "author", "note", "date")
    }
    assert "Nothing new" in qbs("prompts", "import", tmp_path / "checkout").stdout


def test_a_text_becomes_a_version(qbs, tmp_path):
    (tmp_path / "terse.txt").write_text("Be {{terse}}.")
    assert qbs("prompts", "import", tmp_path / "terse.txt").exit_code == 2
    result = qbs("prompts", "import", tmp_path / "terse.txt", "--name", "question")
    assert "question v2" in result.stdout, result.stderr
    assert "description: imported from terse.txt" in qbs("prompts", "show", "question@v2").stdout
    (tmp_path / "bad.j2").write_text("one\n{{ who }}")
    bad = qbs("prompts", "import", tmp_path / "bad.j2", "--name", "question")
    assert bad.exit_code == 3
    assert "bad.j2, line 2: 'who' is not available here" in bad.stderr


def test_labelled_turns_become_examples_and_their_conversation_no_longer_judges(qbs, shipped):
    write_labelled(shipped)
    result = qbs("prompts", "examples", "question", "talks/talk-1/3", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["examples"] == ["talks/talk-1/3"]
    options = ["talks", "--variant", "llm:openai/nobody", "--prompts", "question@v2"]
    qbs("replay", *options, env={"QBS_RECORDING_MODE": "recorded"})
    compared = qbs("compare", "latest", "latest")
    assert "shown in its prompts as examples, and are left out: talk-1" in " ".join(compared.stderr.split())
    assert "question v3" in qbs("prompts", "examples", "question@v2").stdout


def test_prompts_with_cases_are_written_for_other_tools(qbs, shipped, tmp_path):
    write_labelled(shipped)
    result = qbs("prompts", "promptfoo", tmp_path / "out", "--dataset", "talks", "--model", "openai/m")
    assert result.exit_code == 0, result.stderr
    config = yaml.safe_load((tmp_path / "out" / "question.promptfoo.yaml").read_text())
    assert len(config["tests"]) > 0
    result = qbs("prompts", "langfuse", tmp_path / "langfuse.json", "--dataset", "talks")
    assert result.exit_code == 0, result.stderr
    assert len(json.loads((tmp_path / "langfuse.json").read_text())["prompts"]) == 8


def test_what_goes_to_other_tools_is_told_to_programs_too(qbs, shipped, tmp_path):
    write_labelled(shipped)
    cases = ("--dataset", "talks", "--json")
    written = json.loads(qbs("prompts", "promptfoo", tmp_path / "out", "--model", "openai/any", *cases).stdout)
    assert set(written) == {"files", "shown_as_examples", "not_labelled"}
    assert [(own["prompt"], own["model"], own["left_out"]) for own in written["files"]] == [
        (name, "openai/any", []) for name in ("extraction", "question", "expansion")
    ]
    for own in written["files"]:
        assert len(yaml.safe_load(Path(own["file"]).read_text())["tests"]) == own["cases"] > 0
    file = tmp_path / "langfuse.json"
    bodies = json.loads(qbs("prompts", "langfuse", file, *cases).stdout)
    found = json.loads(file.read_text())
    assert bodies == {
        "file": str(file), "prompts": len(found["prompts"]), "datasets": len(found["datasets"]),
        "items": len(found["items"]), "shown_as_examples": [], "not_labelled": written["not_labelled"],
    }  # fmt: skip
