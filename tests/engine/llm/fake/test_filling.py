"""The smallest plain value that a JSON schema accepts."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, TypeAdapter

from engine.llm.fake.filling import filled


class Mood(StrEnum):
    WARM = "warm"
    COLD = "cold"


class Quote(BaseModel):
    text: Annotated[str, Field(min_length=10, max_length=12)]
    turn: Annotated[int, Field(ge=3)]


class Everything(BaseModel):
    mood: Mood
    kind: Literal["one", "two"]
    only: Literal["only"]
    quotes: Annotated[list[Quote], Field(min_length=2)]
    first: Quote | None
    optional: int | None = None
    pair: tuple[int, str]
    by_name: dict[str, float]
    probability: Annotated[float, Field(ge=0, le=1)]
    open_interval: Annotated[float, Field(gt=0, lt=0.1)]
    negative: Annotated[int, Field(lt=0)]
    step: Annotated[int, Field(gt=7, multiple_of=5)]
    flag: bool
    nothing: None
    when: datetime
    day: date
    id: UUID
    year: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    anything: Any


class Tree(BaseModel):
    name: str
    children: list[Tree] = Field(default_factory=list)


class Chain(BaseModel):
    next: Chain


@pytest.mark.parametrize(
    "asked", [Everything, Quote, Tree, list[int], dict[str, Quote], int | str, Mood, bool, tuple[Quote, Mood]]
)
def test_pydantic_accepts_what_its_schema_was_filled_with(asked: Any) -> None:
    adapter = TypeAdapter(asked)
    value = filled(adapter.json_schema())
    adapter.validate_python(value)
    assert filled(adapter.json_schema()) == value


def test_every_property_is_filled_and_defaults_are_kept() -> None:
    value = filled(Everything.model_json_schema())
    assert set(value) == set(Everything.model_fields)
    assert value["mood"] == "warm"
    assert value["optional"] is None
    assert len(value["quotes"]) == 2


def test_parts_joined_by_all_of_are_filled_together() -> None:
    schema = {
        "$defs": {"A": {"type": "object", "properties": {"a": {"type": "integer", "minimum": 5}}}},
        "allOf": [{"$ref": "#/$defs/A"}],
        "description": "one part",
    }
    assert filled(schema) == {"a": 5}


def test_a_schema_that_has_no_smallest_value_still_ends() -> None:
    assert isinstance(filled(Chain.model_json_schema()), dict)


def test_a_schema_that_says_nothing_is_filled_with_null() -> None:
    assert filled({}) is None
