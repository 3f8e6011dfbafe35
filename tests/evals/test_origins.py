"""Where a data set's conversations come from: said once, kept, shown, and no part of any hash."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import InputError
from evals.dataset_manifest import CONVERSATIONS, MANIFEST
from evals.importers.own import import_conversations
from evals.library import check_dataset, load_dataset, origin_of, write_manifest
from evals.origins import ORIGIN, Origin, origin_line
from tests.evals.values import conversation

SHIPPED = Path(__file__).resolve().parents[2] / "datasets" / "b2b_discovery"


def folder_with(folder: Path, *ids: str) -> Path:
    folder.mkdir(parents=True)
    (folder / CONVERSATIONS).write_text("".join(conversation(id_).model_dump_json() + "\n" for id_ in ids))
    return folder


def test_the_shipped_conversations_say_that_they_were_written():
    assert load_dataset(SHIPPED).origin is Origin.WRITTEN


@pytest.mark.parametrize("origin", [None, *Origin])
def test_a_manifest_keeps_the_origin_and_no_hash_depends_on_it(tmp_path: Path, origin: Origin | None):
    folder = folder_with(tmp_path / "toys", "alpha")
    before = load_dataset(folder)
    write_manifest(folder, title="Toys", licence="CC0", origin=origin)
    after = load_dataset(folder)
    assert (after.origin, origin_of(folder)) == (origin, origin)
    assert after.content_hash == before.content_hash
    assert ("origin" in (folder / MANIFEST).read_text()) is (origin is not None)


def test_an_import_says_the_origin_of_the_whole_data_set_and_a_later_one_does_not_change_it(tmp_path: Path):
    first, second = folder_with(tmp_path / "first", "alpha"), folder_with(tmp_path / "second", "beta")
    into = tmp_path / "into"
    import_conversations(first / CONVERSATIONS, into)
    assert load_dataset(into).origin is None
    import_conversations(first / CONVERSATIONS, into, replace=True, origin=Origin.RECORDED)
    import_conversations(second / CONVERSATIONS, into)
    assert load_dataset(into).origin is Origin.RECORDED
    third = folder_with(tmp_path / "third", "gamma")
    with pytest.raises(InputError, match="recorded from customers; import simulated ones into another data set"):
        import_conversations(third / CONVERSATIONS, into, origin=Origin.SIMULATED)
    assert set(load_dataset(into).hashes) == {"alpha", "beta"}


def test_sealing_a_data_set_keeps_what_it_said_of_itself(tmp_path: Path):
    source = folder_with(tmp_path / "source", "alpha")
    import_conversations(source / CONVERSATIONS, tmp_path / "into", origin=Origin.SIMULATED)
    assert write_manifest(tmp_path / "into", title="T", licence="CC0").origin is Origin.SIMULATED


@pytest.mark.parametrize("word", [b"", b"real\n", b"\xff"])
def test_a_word_that_is_no_origin_is_a_problem_of_its_file(tmp_path: Path, word: bytes):
    folder = folder_with(tmp_path / "toys", "alpha")
    (folder / ORIGIN).write_bytes(word)
    (problem,) = check_dataset(folder)
    assert (problem.file.name, problem.line) == (ORIGIN, 1)
    assert problem.text == "an origin is one of recorded, written, simulated"
    assert origin_of(folder) is None


def test_an_origin_that_a_manifest_does_not_know_is_refused(tmp_path: Path):
    folder = folder_with(tmp_path / "toys", "alpha")
    write_manifest(folder, title="T", licence="CC0", origin=Origin.WRITTEN)
    manifest = folder / MANIFEST
    manifest.write_text(manifest.read_text().replace("written", "dreamt"))
    assert "origin" in check_dataset(folder)[0].text


def test_every_origin_is_said_in_one_line():
    lines = [origin_line(origin) for origin in (*Origin, None)]
    assert lines == [
        "conversations: recorded from customers",
        "conversations: written, not recorded from customers",
        "conversations: simulated by code, not recorded from customers",
        "conversations: of unknown origin",
    ]
