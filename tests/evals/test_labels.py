"""Labels: those that cannot be right are refused, with file, line and turn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.errors import InputError
from evals.dataset_manifest import CONVERSATIONS, LABELS
from evals.library import check_dataset, load_dataset
from tests.evals.values import conversation, label, write_lines

BAD_LABELS = {
    "a quote that is not in the turn": (
        label(1, dimensions=[{"dimension": "need", "value": "v", "quote": "no such words"}]),
        "alpha turn 1: the quote of dimensions[0] (need) is not in the turn's text",
    ),
    "a person's quote that is not in the turn": (
        label(1, people=[{"mention": "Bo", "quote": "no such words"}]),
        "alpha turn 1: the quote of people[0] is not in the turn's text",
    ),
    "a seller's turn": (label(0), "alpha turn 0 is the seller's; only customer turns carry labels"),
    "a turn that does not exist": (label(40), "alpha turn 40 does not exist; the last turn is 1"),
    "another conversation": (label(1, "omega"), "there is no conversation 'omega' here"),
    "probing while backing off": (label(1, back_off=True), "back_off is true, but impact would probe"),
    "a type named twice": (label(1, question_types=["impact", "impact"]), "a question type is named twice"),
    "an unknown engagement": (label(1).model_dump(mode="json") | {"engagement": "bored"}, "engagement: Input should"),
    "no question type": (label(1).model_dump(mode="json") | {"question_types": []}, "question_types"),
    "an empty quote": (
        label(1).model_dump(mode="json") | {"people": [{"mention": "Bo", "quote": ""}]},
        "people[0].quote",
    ),
}


@pytest.mark.parametrize(("line", "said"), BAD_LABELS.values(), ids=BAD_LABELS)
def test_a_bad_label_is_refused_with_file_line_and_turn(tmp_path: Path, line: Any, said: str):
    write_lines(tmp_path / CONVERSATIONS, conversation(customer_turns=1))
    file = write_lines(tmp_path / LABELS, line)
    problems = check_dataset(tmp_path)
    turn = line["turn"] if isinstance(line, dict) else line.turn
    assert [(p.file, p.line, p.turn) for p in problems if said in p.text] == [(file, 1, turn)]
    with pytest.raises(InputError):
        load_dataset(tmp_path)


def test_a_turn_labelled_twice_is_refused(tmp_path: Path):
    write_lines(tmp_path / CONVERSATIONS, conversation(customer_turns=1))
    write_lines(tmp_path / LABELS, label(1), label(1))
    with pytest.raises(InputError, match="line 2, turn 1: alpha turn 1 is labelled twice, first on line 1"):
        load_dataset(tmp_path)


def test_depth_that_goes_back_is_refused(tmp_path: Path):
    write_lines(tmp_path / CONVERSATIONS, conversation(customer_turns=2))
    write_lines(tmp_path / LABELS, label(3, pain_depth="surface"), label(1, pain_depth="emotional"))
    with pytest.raises(InputError, match=r"line 1, turn 3.*goes back from emotional to surface"):
        load_dataset(tmp_path)


def test_labels_are_for_whole_conversations(tmp_path: Path):
    write_lines(tmp_path / CONVERSATIONS, conversation("alpha"), conversation("beta"))
    write_lines(tmp_path / LABELS, label(1), label(5))
    (problem,) = check_dataset(tmp_path)
    assert (problem.line, problem.turn) == (None, 3)
    assert "alpha: this customer turn has no label" in problem.text


def test_the_hash_of_labels_changes_with_them(tmp_path: Path):
    write_lines(tmp_path / CONVERSATIONS, conversation("alpha", 1), conversation("beta", 1))
    hashes = []
    for engagement in ("factual", "resistant"):
        write_lines(tmp_path / LABELS, label(1, engagement=engagement), label(1, "beta"))
        dataset = load_dataset(tmp_path)
        hashes.append((dataset.labels_hash(["alpha"]), dataset.labels_hash(["beta"])))
    assert hashes[0][0] != hashes[1][0]
    assert hashes[0][1] == hashes[1][1]
