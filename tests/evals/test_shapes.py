"""Characters that a text may not hold are found in a line however they are written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import BaseModel

from evals.jsonl import Problem
from evals.shapes import Shaped, read_shapes, unwelcome_character


class Said(BaseModel):
    text: str
    turns: tuple[dict[str, str], ...] = ()


ALL = [chr(code) for code in range(0x2100) if unwelcome_character(chr(code))]
RAW = [character for character in ALL if ord(character) >= 0x20]  # below, JSON itself takes none as it is


def read(tmp_path: Path, line: str) -> list[Shaped[Said] | Problem]:
    file = tmp_path / "said.jsonl"
    file.write_bytes(line.encode() + b"\n")
    return list(read_shapes(Said, file))


def test_there_are_controls_and_marks_among_them():
    assert {"\0", "\b", "\f", "\x7f", "\x85", "\u202a", "\u2069"} <= set(ALL)
    assert not {"\t", "\n", "\r", "\u200e", "\u200d", "\u00a0"} & set(ALL)


@pytest.mark.parametrize("escaped", [True, False])
@pytest.mark.parametrize("deep", [True, False])
def test_each_of_them_is_found(tmp_path: Path, escaped: bool, deep: bool):
    for character in ALL if escaped else RAW:
        word = f"a{character}b"
        fields = {"text": "fine", "turns": [{"text": word}]} if deep else {"text": word}
        (problem,) = read(tmp_path, json.dumps(fields, ensure_ascii=escaped))
        assert isinstance(problem, Problem), f"U+{ord(character):04X}"
        assert f"U+{ord(character):04X}" in problem.text


def test_half_of_a_surrogate_pair_is_found(tmp_path: Path):
    (problem,) = read(tmp_path, '{"text": "a\\ud83d"}')
    assert isinstance(problem, Problem)


@pytest.mark.parametrize("text", ["a\tb\nc", "naïve — “yes” …", "\u200fשלום", "a\\\\u202e is named", "👩\u200d🔧"])
def test_what_is_welcome_is_read(tmp_path: Path, text: str):
    for escaped in (True, False):
        (found,) = read(tmp_path, json.dumps({"text": text}, ensure_ascii=escaped))
        assert isinstance(found, Shaped)
        assert found.value.text == text
