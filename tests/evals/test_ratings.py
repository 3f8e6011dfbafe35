"""What people say of questions: read from the data set, and refused by file and line where it cannot be right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.errors import InputError
from evals.library import check_dataset, load_dataset, write_manifest
from tests.evals.values import conversation, write_lines

GOOD = {"conversation_id": "alpha", "turn": 1, "question": "What does it cost?", "rater": "ines", "naturalness": 3}


def folder_with(tmp_path: Path, *ratings: object) -> Path:
    folder = tmp_path / "toys"
    write_lines(folder / "conversations.jsonl", conversation(), conversation("beta"))
    write_lines(folder / "ratings.jsonl", *ratings)
    return folder


def test_ratings_belong_to_their_data_set(tmp_path: Path):
    both = GOOD | {"turn": 3, "value_first": 1, "note": "a pitch"}
    ratings = load_dataset(folder_with(tmp_path, GOOD, both, GOOD | {"rater": "kavi"})).ratings
    assert [(own.rater, own.turn, own.naturalness, own.value_first) for own in ratings] == [
        ("ines", 1, 3, None),
        ("ines", 3, 3, 1),
        ("kavi", 1, 3, None),
    ]


def test_a_data_set_needs_no_ratings(tmp_path: Path):
    folder = folder_with(tmp_path, GOOD)
    (folder / "ratings.jsonl").unlink()
    assert load_dataset(folder).ratings == ()


WRONG = [
    ({"conversation_id": "gamma"}, "there is no conversation 'gamma' here"),
    ({"turn": 9}, "alpha turn 9 does not exist; the last turn is 5"),
    ({"turn": 2}, "alpha turn 2 is the seller's; questions are recommended after customer turns only"),
    ({"turn": -1}, "turn: Input should be greater than or equal to 0"),
    ({"naturalness": 5}, "naturalness: Input should be less than or equal to 4"),
    ({"naturalness": 0}, "naturalness: Input should be greater than or equal to 1"),
    ({"naturalness": None}, "nothing is rated: fill in naturalness or value_first (1 to 4), or remove the line"),
    ({"rater": " "}, "rater is empty; say who rated, by a name or initials"),
    ({"question": ""}, "question: String should have at least 1 character"),
    ({"natural": 4}, "natural is not a field of this format; remove it or correct its name"),
    ({"question": "What does  it cost? "}, "ines rates this question twice, first on line 1"),
]


@pytest.mark.parametrize(("wrong", "said"), WRONG, ids=[said[:40] for _, said in WRONG])
def test_a_rating_that_cannot_be_right_is_said_with_its_line(tmp_path: Path, wrong: dict, said: str):
    folder = folder_with(tmp_path, GOOD, GOOD | wrong)
    (problem,) = check_dataset(folder)
    assert (problem.file.name, problem.line) == ("ratings.jsonl", 2)
    assert problem.text == said
    with pytest.raises(InputError, match=r"ratings\.jsonl, line 2"):
        load_dataset(folder)


def test_broken_lines_are_said_too(tmp_path: Path):
    problems = check_dataset(folder_with(tmp_path, "{\n", json.dumps(GOOD) + "\n", b"\xff\n"))
    assert [problem.line for problem in problems] == [1, 3]


def test_ratings_may_grow_without_a_new_manifest(tmp_path: Path):
    folder = folder_with(tmp_path, GOOD)
    write_manifest(folder, title="Toys", licence="CC0")
    write_lines(folder / "ratings.jsonl", GOOD, GOOD | {"turn": 3})
    assert check_dataset(folder) == []
