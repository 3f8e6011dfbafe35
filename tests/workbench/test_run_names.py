"""Runs as people name them: what a name means, and what is said where it means none."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from evals.records import Fork, PickedTurns, Rescoring, RunManifest, RunSpec, Variant
from evals.runs.folder import MANIFEST, RunFolder
from workbench.run_names import run_named
from workbench.text import UnknownNameError


def spec(variant: str, **others: object) -> RunSpec:
    fields = {"dataset": "talks", "dataset_hash": "d", "conversation_ids": ("a",), "engine_hash": "e"}
    return RunSpec.model_validate(fields | {"variant": Variant(name=variant)} | others)


def made(runs: Path, run_id: str, of: RunSpec, day: int) -> None:
    manifest = RunManifest(
        run_id=run_id, spec=of, turns_expected=1, created_at=datetime(2026, 1, day, tzinfo=UTC), python="3.11"
    )
    RunFolder.create(runs, manifest)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Two runs by rules, and others that have a variant's name in their id without being what it means."""
    folder = tmp_path / "runs"
    made(folder, "talks-rules-1a", spec("rules"), 1)
    made(folder, "talks-rules-2b", spec("rules"), 2)
    made(
        folder, "talks-rules-fork-3c", spec("rules", fork=Fork(run_id="talks-rules-1a", conversation_id="a", turn=1)), 3
    )
    made(folder, "talks-recorded-4d", spec("recorded"), 1)
    again = Rescoring(run_id="talks-recorded-4d", variant="recorded", merge="latest", guardrails=())
    made(folder, "talks-recorded-latest-5e", spec("recorded", rescored=again), 4)
    made(folder, "talks-recorded-turns-6f", spec("recorded", picked=PickedTurns(run_id="r", turns=())), 5)
    return folder


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("talks-rules-1a", "talks-rules-1a"),
        ("1a", "talks-rules-1a"),
        ("latest-5", "talks-recorded-latest-5e"),
        ("rules", "talks-rules-2b"),
        ("recorded", "talks-recorded-4d"),
        ("latest", "talks-recorded-turns-6f"),
    ],
)
def test_a_run_is_named_by_its_id_a_part_of_it_its_variant_or_as_the_latest(runs: Path, name: str, meant: str) -> None:
    assert run_named(name, runs).run_id == meant


@pytest.mark.parametrize("name", ["talks", "", "rule", "labels"])
def test_a_name_that_means_none_or_several_is_refused(runs: Path, name: str) -> None:
    with pytest.raises(UnknownNameError):
        run_named(name, runs)


@pytest.mark.parametrize("name", ["rules", "latest"])
def test_a_damaged_run_keeps_nobody_from_the_others(runs: Path, name: str) -> None:
    wanted = run_named(name, runs).run_id
    damaged = runs / "talks-rules-7g"
    damaged.mkdir()
    (damaged / MANIFEST).write_text("{")
    assert run_named(name, runs).run_id == wanted


def test_without_any_run_it_says_where_there_are_none(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="none yet"):
        run_named("latest", tmp_path / "runs")
