"""Data sets: what is read, what is refused and where, manifests, and the way back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import InputError
from engine.model.conversation import MAX_TURN_CHARACTERS, Conversation
from evals.dataset_manifest import CONVERSATIONS, LABELS
from evals.library import check_dataset, dataset_folders, find_dataset, load_dataset
from tests.evals.values import conversation, labels_of, write_lines


def changed(of: Conversation | None = None, **fields: Any) -> dict[str, Any]:
    return (of or conversation()).model_dump(mode="json") | fields


def with_text(text: str) -> dict[str, Any]:
    turns = changed()["turns"]
    turns[3]["text"] = text
    return changed(turns=turns)


def with_turn(**fields: Any) -> dict[str, Any]:
    turns = changed()["turns"]
    turns[2] |= fields
    return changed(turns=turns)


BAD_CONVERSATIONS = {
    "an unknown field": (changed(persone="ic"), None, "persone is not a field of this format"),
    "an unknown field of a turn": (with_turn(mood="good"), 2, "turns[2].mood is not a field"),
    "an unknown field that would paint a terminal": (changed(**{"\x1b[31m": 1}), None, r"'\x1b[31m' is not a field"),
    "a missing field": ({"id": "a"}, None, "title is missing"),
    "an unknown speaker": (with_turn(speaker="robot"), 2, "turns[2].speaker: Input should be 'seller'"),
    "a time without a zone": (with_turn(time="2026-01-01T10:00:00"), 2, "turns[2].time"),
    "turns that are not counted": (with_turn(index=7), None, "turn 2 has index 7; turns count from 0 without gaps"),
    "no turns": (changed(turns=[]), None, "turns"),
    "an id with a slash": (changed(id="../etc"), None, "id may hold letters, digits"),
    "a turn of 100,000 characters": (with_text("x" * 100_000), 3, "turns[3].text is too long; at most 20,000"),
    "NUL": (with_text("a\0b"), 3, "turns[3].text holds U+0000 NUL (a control character)"),
    "a control character": (with_text("a\x07b"), 3, "U+0007"),
    "a Windows character in Latin-1 clothes": (with_text("it\x92s"), 3, "U+0092"),
    "a right-to-left override": (with_text("a\u202eb"), 3, "U+202E RIGHT-TO-LEFT OVERRIDE (a mark that reorders text)"),
    "an isolate": (with_text("a\u2066b"), 3, "U+2066 LEFT-TO-RIGHT ISOLATE"),
    "a control character in the header": (changed(title="a\x08"), None, "title holds U+0008"),
    "a skipped stage": (
        changed(conversation(stage_changes=[(1, "negotiation")])),
        1,
        "stage_changes[0]: a deal cannot move from prospecting to negotiation; allowed from here: discovery, stalled",
    ),
    "a reopened deal": (
        changed(conversation(stage_changes=[(1, "closed_lost"), (3, "discovery")], opening_stage="negotiation")),
        3,
        "stage_changes[1]: a deal cannot move from closed_lost to discovery; allowed from here: none",
    ),
    "stage changes out of order": (
        changed(conversation(stage_changes=[(3, "discovery"), (1, "qualification")])),
        1,
        "stage_changes[1] comes after one that is later",
    ),
    "a stage change after the end": (changed(stage_changes=[{"after_turn": 99, "to": "discovery"}]), None, "turn 99"),
}

GOOD_TEXTS = {
    "line ends and tabs": "one\ntwo\r\n\tthree",
    "an empty turn": "",
    "Hebrew with direction marks": "\u05e9\u05dc\u05d5\u05dd\u200f (hello)",
    "an emoji made of several": "\U0001f469\u200d\U0001f4bb",
    "exotic line ends": "a\u2028b\u2029c",
    "the longest turn": "x" * MAX_TURN_CHARACTERS,
}


@pytest.mark.parametrize(("line", "turn", "said"), BAD_CONVERSATIONS.values(), ids=BAD_CONVERSATIONS)
def test_a_bad_conversation_is_refused_with_file_line_and_turn(
    tmp_path: Path, line: dict[str, Any], turn: int | None, said: str
):
    file = write_lines(tmp_path / CONVERSATIONS, conversation("fine"), "\n", line)
    with pytest.raises(InputError) as caught:
        load_dataset(tmp_path)
    assert (caught.value.file, caught.value.line, caught.value.turn) == (file, 3, turn)
    assert said in caught.value.problem
    assert f"{file}, line 3" in str(caught.value)


@pytest.mark.parametrize("text", GOOD_TEXTS.values(), ids=GOOD_TEXTS)
def test_unusual_text_comes_back_as_it_was(tmp_path: Path, text: str):
    write_lines(tmp_path / CONVERSATIONS, with_text(text))
    (read,) = load_dataset(tmp_path).conversations
    assert read.turns[3].text == text


def test_an_id_used_twice_is_refused_with_both_lines(tmp_path: Path):
    write_lines(tmp_path / CONVERSATIONS, conversation("a"), conversation("b"), conversation("a"))
    with pytest.raises(InputError, match="line 3: the id 'a' is used twice, first on line 1"):
        load_dataset(tmp_path)


def test_no_problem_quotes_the_conversation(tmp_path: Path):
    write_lines(
        tmp_path / CONVERSATIONS,
        with_text("the secret \u202e"),
        with_turn(speaker="the secret"),
        changed(title=["the secret"]),
        changed(opening_stage="the secret"),
    )
    problems = check_dataset(tmp_path)
    assert len(problems) == 4
    assert not any("secret" in str(problem) for problem in problems)


def test_a_check_names_every_problem_up_to_a_limit(tmp_path: Path):
    write_lines(tmp_path / CONVERSATIONS, *[{"id": f"c{n}"} for n in range(30)])
    assert {problem.line for problem in check_dataset(tmp_path, limit=1000)} == set(range(1, 31))
    assert len(check_dataset(tmp_path, limit=7)) == 7


def test_a_data_set_without_labels_and_manifest_is_a_dev_set(tmp_path: Path):
    write_lines(tmp_path / CONVERSATIONS, conversation("a"), conversation("b"))
    dataset = load_dataset(tmp_path)
    assert dataset.name == tmp_path.name
    assert dict(dataset.split) == {"a": "dev", "b": "dev"}
    assert dataset.labels == {}
    assert [item.id for item in dataset.part("dev")] == ["a", "b"]


def test_the_hash_of_conversations_depends_on_nothing_but_them(tmp_path: Path):
    one, two = tmp_path / "one", tmp_path / "two"
    write_lines(one / CONVERSATIONS, conversation("a"), conversation("b"))
    write_lines(two / CONVERSATIONS, b"\xef\xbb\xbf", "\n", conversation("b"), conversation("c"), conversation("a"))
    first, second = load_dataset(one), load_dataset(two)
    assert first.content_hash == second.hash_of(["b", "a"])
    assert first.content_hash != second.content_hash


def test_data_sets_are_found_by_name_in_the_first_root_that_has_them(tmp_path: Path):
    for root, name in (("shipped", "toys"), ("own", "toys"), ("own", "calls")):
        write_lines(tmp_path / root / name / CONVERSATIONS, conversation(root))
    (tmp_path / "own" / "not-a-set").mkdir()
    roots = [tmp_path / "shipped", tmp_path / "own", tmp_path / "missing"]
    assert list(dataset_folders(roots)) == ["toys", "calls"]
    assert find_dataset("toys", roots).conversations[0].id == "shipped"
    with pytest.raises(InputError, match="there is no data set 'toyz'; did you mean toys"):
        find_dataset("toyz", roots)


def test_a_conversation_is_found_by_id(tmp_path: Path):
    write_lines(tmp_path / CONVERSATIONS, conversation("budget-withdrawn"))
    dataset = load_dataset(tmp_path)
    assert dataset.conversation("budget-withdrawn").title == "About budget-withdrawn"
    with pytest.raises(InputError, match="did you mean budget-withdrawn"):
        dataset.conversation("budget-withdrew")


_texts = st.text(
    st.characters(
        exclude_categories=["Cs", "Cc"], exclude_characters="\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    )
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(texts=st.lists(_texts, min_size=1, max_size=4), title=_texts.map(lambda text: text[:300].strip()))
def test_whatever_is_written_is_read_back(tmp_path: Path, texts: list[str], title: str):
    turns = [{"index": index, "speaker": "customer", "text": text} for index, text in enumerate(texts)]
    written = Conversation.model_validate(changed(turns=turns, title=title))
    labels = labels_of(written) if all(texts) else {}
    write_lines(tmp_path / CONVERSATIONS, written)
    write_lines(tmp_path / LABELS, *labels.values()) if labels else (tmp_path / LABELS).unlink(missing_ok=True)
    dataset = load_dataset(tmp_path)
    assert dataset.conversations == (written,)
    assert dataset.labels == ({"alpha": labels} if labels else {})
