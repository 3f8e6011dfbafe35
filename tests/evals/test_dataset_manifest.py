"""The manifest of a data set: what is sealed in it, and every change that shows afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.errors import InputError
from evals.dataset_manifest import CONVERSATIONS, LABELS, MANIFEST
from evals.library import check_dataset, load_dataset, write_manifest
from tests.evals.values import conversation, labels_of, write_lines


def test_a_sealed_data_set_knows_its_split_and_labels(tmp_path: Path):
    folder = _sealed(tmp_path)
    dataset = load_dataset(folder)
    assert [item.id for item in dataset.part("test")] == ["beta"]
    assert set(dataset.labels["alpha"]) == {1, 3, 5}
    assert dataset.title == "Toys"
    counts = json.loads((folder / MANIFEST).read_text())["counts"]
    assert counts == {"conversations": 2, "turns": 12, "customer_turns": 6, "labels": 3}


def _replace(old: str, new: str) -> Any:
    return lambda file: file.write_text(file.read_text().replace(old, new))


CHANGES_AFTER_SEALING = {
    "a changed conversation": (CONVERSATIONS, _replace("About beta", "About Beta"), "conversation beta was changed"),
    "a removed conversation": (
        CONVERSATIONS,
        lambda file: write_lines(file, conversation("alpha")),
        "conversation beta is missing from conversations.jsonl",
    ),
    "an added conversation": (
        CONVERSATIONS,
        lambda file: write_lines(file, *map(conversation, ["alpha", "beta", "gamma"])),
        "conversation gamma is not in the manifest",
    ),
    "other line ends": (
        CONVERSATIONS,
        lambda file: file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n")),
        "conversations.jsonl is not what it was",
    ),
    "changed labels": (LABELS, _replace("factual", "high_energy"), "labels.jsonl is not what it was"),
    "removed labels": (LABELS, Path.unlink, "labels.jsonl is missing"),
    "a changed recording": ("recordings/a.jsonl", _replace("1", "2"), "recordings/a.jsonl is not what it was"),
    "an added recording": (
        "recordings/b.jsonl",
        lambda file: file.write_text("{}\n"),
        "b.jsonl is not in the manifest",
    ),
    "a manifest of a later version": (MANIFEST, _replace('"format": 1', '"format": 2'), "a later version"),
    "a broken manifest": (MANIFEST, lambda file: file.write_text("{"), "not valid JSON"),
    "an unknown field in it": (MANIFEST, _replace('"title"', '"titel"'), "titel is not a field"),
    "wrong counts": (MANIFEST, _replace('"turns": 12', '"turns": 13'), "the counts are not those of the files"),
    "a renamed data set": (MANIFEST, _replace('"toys"', '"boys"'), "the manifest is of 'boys'"),
}


@pytest.mark.parametrize(("name", "change", "said"), CHANGES_AFTER_SEALING.values(), ids=CHANGES_AFTER_SEALING)
def test_a_change_after_sealing_shows(tmp_path: Path, name: str, change: Any, said: str):
    folder = _sealed(tmp_path)
    change(folder / name)
    assert any(said in problem.text for problem in check_dataset(folder))
    with pytest.raises(InputError):
        load_dataset(folder)


def test_sealing_again_accepts_a_change(tmp_path: Path):
    folder = _sealed(tmp_path)
    _replace("About beta", "About Beta")(folder / CONVERSATIONS)
    write_manifest(folder, title="Toys", licence="MIT")
    assert check_dataset(folder) == []


def test_a_split_cannot_name_a_stranger(tmp_path: Path):
    write_lines(tmp_path / CONVERSATIONS, conversation("a"))
    with pytest.raises(InputError, match="not there: b"):
        write_manifest(tmp_path, title="T", licence="MIT", split={"b": "test"})


def _sealed(tmp_path: Path) -> Path:
    folder = tmp_path / "toys"
    alpha = conversation("alpha")
    write_lines(folder / CONVERSATIONS, alpha, conversation("beta"))
    write_lines(folder / LABELS, *labels_of(alpha).values())
    write_lines(folder / "recordings" / "a.jsonl", {"a": 1})
    write_manifest(folder, title="Toys", licence="MIT", split={"beta": "test"})
    assert check_dataset(folder) == []
    return folder
