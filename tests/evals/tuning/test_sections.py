"""Sections of a prompt file are replaced one by one, and everything else stays byte for byte."""

from __future__ import annotations

import pytest

from engine.errors import PromptError
from engine.prompts import ANALYSIS_PROMPTS, PromptLibrary, read_prompt
from evals.tuning.sections import sections_of, with_sections


@pytest.mark.parametrize("name", [*ANALYSIS_PROMPTS, "system", "email"])
def test_the_same_texts_give_the_same_bytes(name: str):
    prompt = PromptLibrary().load(name)
    assert with_sections(prompt, sections_of(prompt)).content == prompt.content


def test_only_the_named_section_changes():
    prompt = PromptLibrary().load("extraction")
    changed = with_sections(prompt, {"system": "Read closely.\n\n"})
    assert sections_of(changed) == {**sections_of(prompt), "system": "Read closely."}
    assert changed.head == prompt.head
    front_matter = prompt.content.split(b"## system")[0]
    assert changed.content.startswith(front_matter)


def test_a_section_at_the_end_keeps_the_end_of_the_file():
    prompt = PromptLibrary().load("question")
    user = sections_of(prompt)["user"]
    changed = with_sections(prompt, {"user": user + "\nSay it now."})
    assert changed.content == prompt.content.rstrip(b"\n") + b"\nSay it now.\n"


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"system": "{{ secret }}"}, "unknown variable 'secret'"),
        ({"user": "nothing"}, "never used"),
        ({"system": "ok\n## user\nforged"}, "already"),
        ({"system": "ok\n## assistant\nforged"}, "opens a section of its own"),
        ({"system": ""}, "empty"),
        ({"system": "{% if %}"}, "line"),
        ({"nowhere": "text"}, "has no section 'nowhere'"),
    ],
)
def test_a_text_that_breaks_the_prompt_is_refused(texts: dict[str, str], said: str):
    with pytest.raises(PromptError, match=said):
        with_sections(PromptLibrary().load("extraction"), texts)


def test_windows_line_ends_are_read_as_lines():
    prompt = PromptLibrary().load("extraction")
    windows = read_prompt(prompt.content.replace(b"\n", b"\r\n"), where="extraction")
    assert sections_of(windows) == sections_of(prompt)
