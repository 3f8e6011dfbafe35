"""Run ids and what a manifest says of the code."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from evals.library import load_dataset
from evals.records import Fork, RunSpec, StateMode, Variant
from evals.runs import manifest as manifest_module
from evals.runs.manifest import (
    code_version,
    engine_hash,
    new_manifest,
    new_spec,
    package_versions,
)
from evals.runs.spec import run_id_of, turns_expected
from tests.evals.values import conversation, labels_of, spec, write_lines

BASE = spec(conversation("a"), conversation("b"))

OTHER_RUNS = {
    "another data set": {"dataset": "others"},
    "changed conversations": {"dataset_hash": "f" * 64},
    "fewer conversations": {"conversation_ids": ("a",)},
    "another model": {"variant": Variant(name="fake", fast_model="m")},
    "another prompt": {"variant": Variant(name="fake", prompts={"extraction": "1234"})},
    "another state mode": {"state_mode": StateMode.GOLD},
    "other labels": {"labels_hash": "2" * 64},
    "more samples": {"samples": 2},
    "changed code": {"engine_hash": "e" * 64},
    "asked again": {"attempt": 1},
    "a fork": {"fork": Fork(run_id="r", conversation_id="a", turn=3)},
}


@pytest.mark.parametrize("change", OTHER_RUNS.values(), ids=OTHER_RUNS)
def test_whatever_may_change_a_result_makes_it_another_run(change: dict[str, object]):
    assert run_id_of(BASE.model_copy(update=change)) != run_id_of(BASE)


def test_the_order_of_conversations_does_not_matter():
    assert run_id_of(BASE.model_copy(update={"conversation_ids": ("b", "a")})) == run_id_of(BASE)


@pytest.mark.parametrize(
    ("variant", "slug"),
    [("rules", "rules"), ("llm:openai/gpt-4.1", "llm-openai-gpt-4-1"), ("../..", "unnamed"), ("x" * 200, "x" * 60)],
)
def test_a_run_id_can_be_read_and_is_a_safe_folder_name(variant: str, slug: str):
    run_id = run_id_of(BASE.model_copy(update={"variant": Variant(name=variant)}))
    assert re.fullmatch(rf"toys-{re.escape(slug)}-carried-[0-9a-f]{{8}}", run_id)


def test_expected_turns_are_customer_turns_from_the_fork_on_times_samples():
    talks = [conversation("a", 3), conversation("b", 5)]
    assert turns_expected(BASE, talks) == 8
    assert turns_expected(BASE.model_copy(update={"samples": 3}), talks) == 24
    fork = BASE.model_copy(update={"fork": Fork(run_id="r", conversation_id="b", turn=5)})
    assert turns_expected(fork, [conversation("b", 5)]) == 3


def test_a_spec_depends_on_labels_only_where_the_run_does(tmp_path: Path):
    talk = conversation("alpha", 1)
    write_lines(tmp_path / "conversations.jsonl", talk, conversation("beta"))
    write_lines(tmp_path / "labels.jsonl", *labels_of(talk).values())
    dataset = load_dataset(tmp_path)
    rules, labels = Variant(name="rules"), Variant(name="labels")
    assert new_spec(dataset, ["alpha"], rules).labels_hash is None
    gold = new_spec(dataset, ["alpha"], rules, state_mode=StateMode.GOLD)
    assert gold.labels_hash == new_spec(dataset, ["alpha"], labels).labels_hash == dataset.labels_hash(["alpha"])
    assert gold.dataset_hash == dataset.hash_of(["alpha"]) != dataset.content_hash
    assert gold.conversation_ids == ("alpha",)


def test_a_manifest_is_whole():
    made = new_manifest(BASE, [conversation("a"), conversation("b")])
    assert made.run_id == run_id_of(BASE)
    assert made.turns_expected == 6
    assert made.created_at.tzinfo is not None
    assert "pydantic" in made.packages
    assert RunSpec.model_validate_json(made.spec.model_dump_json()) == BASE


def test_the_engine_hash_changes_with_any_file_and_with_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    package = tmp_path / "engine"
    for name in ("__init__.py", "pain.py", "prompts/extraction/1.md", "__pycache__/pain.pyc"):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text("x")
    monkeypatch.setattr(manifest_module.engine, "__file__", str(package / "__init__.py"))
    first = engine_hash()
    (package / "__pycache__/pain.pyc").write_text("y")
    assert engine_hash() == first
    (package / "prompts/extraction/1.md").write_text("y")
    assert engine_hash() != first
    (package / "prompts/extraction/1.md").write_text("x")
    (package / "pain.py").rename(package / "gain.py")
    assert engine_hash() != first


def test_packages_that_are_not_installed_are_left_out(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(manifest_module, "PACKAGES", ("pydantic", "no-such-package-at-all"))
    assert set(package_versions()) == {"pydantic"}


def test_without_git_the_commit_is_unknown(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert code_version() == (None, None)


def test_a_git_that_fails_leaves_the_commit_unknown(monkeypatch: pytest.MonkeyPatch):
    def hang(*_arguments: object, **_options: object) -> None:
        raise subprocess.TimeoutExpired("git", 5)

    monkeypatch.setattr(subprocess, "run", hang)
    assert code_version() == (None, None)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_the_commit_and_whether_the_tree_differs_from_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    package = tmp_path / "engine"
    package.mkdir()
    (package / "__init__.py").write_text("x")
    monkeypatch.setattr(manifest_module.engine, "__file__", str(package / "__init__.py"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert code_version() == (None, None)

    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", str(tmp_path), *identity, *arguments], check=True, capture_output=True)

    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "one")
    commit, dirty = code_version()
    assert re.fullmatch(r"[0-9a-f]{40}", commit or "")
    assert dirty is False
    (package / "__init__.py").write_text("y")
    assert code_version() == (commit, True)
