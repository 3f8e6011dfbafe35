"""A labelled data set of a few conversations, so that the commands that judge have something to judge."""

from __future__ import annotations

from pathlib import Path

from tests.workbench.commands.conftest import conversation, write_lines

DATASET = "talks"


def write_labelled(shipped: Path, conversations: int = 8) -> Path:
    """Conversations that differ in persona and channel, with a label for each customer turn."""
    folder = shipped / DATASET
    kinds = [("manager", "chat"), ("c_suite", "email")]
    talks = [
        conversation(number, persona=kinds[number % 2][0], channel=kinds[number % 2][1])
        for number in range(1, conversations + 1)
    ]
    write_lines(folder / "conversations.jsonl", *talks)
    write_lines(folder / "labels.jsonl", *(label for talk in talks for label in _labels(talk["id"])))
    return folder


def _labels(talk: str) -> list[dict[str, object]]:
    common = {"conversation_id": talk, "engagement": "factual", "back_off": False}
    pain = {"dimension": "pain", "value": "two days a week lost to manual reports", "quote": "two days a week"}
    cost = {"dimension": "metrics", "value": "40,000 euros a year", "quote": "About 40,000 euros a year"}
    buyer = {"dimension": "economic_buyer", "value": "the CFO", "quote": "Ask our CFO"}
    return [
        common | {"turn": 1, "pain_depth": "surface", "dimensions": [pain], "people": [],
                  "question_types": ["impact"]},
        common | {"turn": 3, "pain_depth": "business_impact", "dimensions": [cost, buyer],
                  "people": [{"mention": "CFO", "quote": "our CFO"}], "question_types": ["solution", "confirmation"]},
    ]  # fmt: skip
