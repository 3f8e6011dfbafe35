"""Importing our own format: everything or nothing, byte for byte."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from engine.errors import InputError
from evals.dataset_manifest import CONVERSATIONS, LABELS
from evals.importers.own import Imported, import_conversations
from evals.library import load_dataset, write_manifest
from tests.evals.values import conversation, label, write_lines


def test_conversations_are_added_to_those_that_are_there(tmp_path: Path):
    into = tmp_path / "own" / "calls"
    first = import_conversations(write_lines(tmp_path / "1.jsonl", conversation("a")), into)
    second = import_conversations(write_lines(tmp_path / "2.jsonl", conversation("b"), conversation("c")), into)
    assert (first, second) == (Imported(("a",)), Imported(("b", "c")))
    assert [item.id for item in load_dataset(into).conversations] == ["a", "b", "c"]


def test_a_conversation_keeps_its_hash(tmp_path: Path):
    spaced = conversation("b").model_dump_json().replace(":", " :  ").replace("null", "null ")
    source = tmp_path / "source"
    write_lines(source / CONVERSATIONS, b"\xef\xbb\xbf", conversation("a"), "\r\n", spaced + "\r\n", conversation("c"))
    import_conversations(source / CONVERSATIONS, tmp_path / "into")
    assert load_dataset(tmp_path / "into").hashes == load_dataset(source).hashes


BAD_FILES: dict[str, tuple[tuple[Any, ...], str]] = {
    "a bad line after good ones": ((conversation("x"), "{\n"), "line 2: not valid JSON"),
    "an id twice in the file": ((conversation("x"), conversation("x")), "line 2: the id 'x' is used twice"),
    "an id that is there already": (
        (conversation("x"), conversation("a")),
        "line 2: a conversation 'a' is in the data set into already",
    ),
    "an illegal stage change": ((conversation("x", stage_changes=[(1, "closed_won")]),), "line 1, turn 1"),
    "an empty file": ((), "the file is empty"),
}


@pytest.mark.parametrize(("lines", "said"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_file_leaves_everything_as_it_was(tmp_path: Path, lines: tuple[Any, ...], said: str):
    into = tmp_path / "into"
    import_conversations(write_lines(tmp_path / "good.jsonl", conversation("a")), into)
    before = (into / CONVERSATIONS).read_bytes()
    with pytest.raises(InputError, match=said):
        import_conversations(write_lines(tmp_path / "bad.jsonl", *lines), into)
    assert (into / CONVERSATIONS).read_bytes() == before
    assert not list(into.glob(f".{CONVERSATIONS}*"))


def test_a_bad_first_file_makes_no_data_set(tmp_path: Path):
    with pytest.raises(InputError):
        import_conversations(write_lines(tmp_path / "bad.jsonl", "{"), tmp_path / "into")
    assert not (tmp_path / "into").exists()


def test_replacing_keeps_the_order_and_is_the_same_twice(tmp_path: Path):
    into = tmp_path / "into"
    import_conversations(write_lines(tmp_path / "1.jsonl", conversation("a"), conversation("b")), into)
    changed = write_lines(tmp_path / "2.jsonl", conversation("c"), conversation("a", title="New"))
    assert import_conversations(changed, into, replace=True) == Imported(added=("c",), replaced=("a",))
    once = (into / CONVERSATIONS).read_bytes()
    assert [item.title for item in load_dataset(into).conversations] == ["New", "About b", "About c"]
    import_conversations(changed, into, replace=True)
    assert (into / CONVERSATIONS).read_bytes() == once


def test_a_replaced_conversation_must_fit_its_labels(tmp_path: Path):
    into = tmp_path / "into"
    import_conversations(write_lines(tmp_path / "1.jsonl", conversation("alpha", 1)), into)
    quote = conversation("alpha", 1).turns[1].text
    write_lines(into / LABELS, label(1, people=[{"mention": "Bo", "quote": quote}]))
    turns = [{"index": 0, "speaker": "seller", "text": "Hi"}, {"index": 1, "speaker": "customer", "text": "New words"}]
    changed = write_lines(tmp_path / "2.jsonl", conversation("alpha", turns=turns))
    with pytest.raises(InputError, match="the quote of people"):
        import_conversations(changed, into, replace=True)
    assert load_dataset(into).conversations[0].turns[1].text == quote


def test_a_sealed_data_set_takes_nothing_in(tmp_path: Path):
    into = tmp_path / "into"
    import_conversations(write_lines(tmp_path / "1.jsonl", conversation("a")), into)
    write_manifest(into, title="T", licence="MIT")
    with pytest.raises(InputError, match=r"sealed by its MANIFEST\.json"):
        import_conversations(write_lines(tmp_path / "2.jsonl", conversation("b")), into)


def test_imports_at_the_same_time_lose_nothing(tmp_path: Path):
    files = [write_lines(tmp_path / f"{n}.jsonl", conversation(f"c{n}")) for n in range(12)]
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda file: import_conversations(file, tmp_path / "into"), files))
    assert {item.id for item in load_dataset(tmp_path / "into").conversations} == {f"c{n}" for n in range(12)}
