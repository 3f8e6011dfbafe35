from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ConfigDict

from engine.llm.reply import Reply, instructed, reply_in, schema_of
from tests.engine.llm.asking import Finding, Report


class Titled(Reply):
    """Called otherwise."""

    model_config = ConfigDict(title="Otherwise")
    present: bool


class Undescribed(Reply):
    value: int | None


@pytest.mark.parametrize("reply", [Report, Titled, Undescribed])
def test_the_schema_is_the_one_that_instructor_makes(reply: type[Reply]) -> None:
    from instructor.processing.schema import generate_openai_schema

    assert schema_of(reply) == generate_openai_schema(instructed(reply))


def body(arguments: str, **message: Any) -> dict[str, Any]:
    call = {"id": "call_1", "type": "function", "function": {"name": "Report", "arguments": arguments}}
    said = {"role": "assistant", "tool_calls": [call], **message}
    return {"choices": [{"index": 0, "finish_reason": "tool_calls", "message": said}]}


GOOD = '{"budget": {"value": "40k", "confidence": 0.9}, "people": ["Dana"]}'
VALUE = Report(budget=Finding(value="40k", confidence=0.9), people=("Dana",))


@pytest.mark.parametrize(
    ("found", "value"),
    [
        (body(GOOD), VALUE),
        (body(GOOD, content="Here you are:"), VALUE),
        (body(GOOD, tool_calls=body(GOOD)["choices"][0]["message"]["tool_calls"] * 2), VALUE),
        (body(GOOD[:-1] + ', "mood": "fine"}'), VALUE),
        (body(GOOD.replace("0.9", '"0.9"')), VALUE),
        (body(GOOD.replace("0.9", "NaN")), None),
        (body(GOOD.replace("0.9", '"high"')), None),
        (body(GOOD[:-5]), None),
        (body(""), None),
        (body(GOOD, refusal="I cannot."), None),
        (body(GOOD, tool_calls=None), None),
        (body(GOOD, tool_calls=[]), None),
        (body(GOOD, tool_calls=None, content=GOOD), None),
        ({"choices": [{**body(GOOD)["choices"][0], "finish_reason": "length"}]}, None),
        ({"choices": []}, None),
        ({}, None),
    ],
)
def test_a_reply_is_read_where_everything_is_in_order(found: Mapping[str, Any], value: Report | None) -> None:
    assert reply_in(Report, json.loads(json.dumps(found))) == value


def test_a_reply_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        VALUE.people = ()  # type: ignore[misc]
