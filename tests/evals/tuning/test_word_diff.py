"""Texts are compared word by word."""

from __future__ import annotations

import time

import pytest

from evals.tuning.word_diff import Piece, message_differences, word_difference


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("the same words", "the  same\nwords", []),
        ("ask one thing", "ask two things", [("same", "ask"), ("removed", "one thing"), ("added", "two things")]),
        ("keep this", "keep this too", [("same", "keep this"), ("added", "too")]),
        ("", "all new", [("added", "all new")]),
    ],
)
def test_prompts_are_compared_word_by_word(first, second, expected):
    assert [(piece.kind, piece.text) for piece in word_difference(first, second) if piece.kind != "gap"] == expected


def test_words_far_from_a_difference_are_left_out():
    words = [f"w{number}" for number in range(200)]
    pieces = word_difference(" ".join(words), " ".join([*words[:100], "new", *words[100:]]))
    assert sum(len(piece.text.split()) for piece in pieces) < 40
    assert Piece("added", "new") in pieces


def test_all_words_are_kept_when_asked_for():
    words = [f"w{number}" for number in range(200)]
    pieces = word_difference(" ".join(words), " ".join([*words[:100], "new", *words[100:]]), around=None)
    assert [piece.kind for piece in pieces] == ["same", "added", "same"]
    assert " ".join(piece.text for piece in pieces if piece.kind == "same") == " ".join(words)


def test_messages_are_compared_role_by_role():
    first = [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hello"}]
    second = [{"role": "system", "content": "be kind"}, {"role": "assistant", "content": "well"}]
    found = dict(message_differences(first, second))
    assert found["system"] == ()
    assert [piece.kind for piece in found["user"] if piece.kind != "gap"] == ["removed"]
    assert [piece.kind for piece in found["assistant"] if piece.kind != "gap"] == ["added"]


def test_two_long_transcripts_do_not_take_for_ever():
    first = " ".join(f"the {number % 7} and" for number in range(6000))
    began = time.process_time()
    assert word_difference(first, first.replace("3 and the", "3 or the"))
    assert time.process_time() - began < 30
