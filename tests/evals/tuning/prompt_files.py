"""Prompts as a designer would edit them."""

from __future__ import annotations

from engine.prompts import PromptLibrary

QUESTION = PromptLibrary().load("question")


def question(change: str = "Under 40 words.", version: str = "v1") -> str:
    """The shipped question prompt, edited: `change` in place of a sentence, under `version`."""
    text = QUESTION.content.decode().replace("version: v1", f"version: {version}", 1)
    assert "Under 45 words." in text
    return text.replace("Under 45 words.", change)
