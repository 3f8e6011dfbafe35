from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ConfigDict

from engine.errors import PromptError
from engine.llm.completion import Call
from engine.llm.reply import Reply, described, instructed, reply_in, schema_fields, schema_of
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


def test_fields_are_listed_with_what_a_model_is_told() -> None:
    listed = {field.path: field for field in schema_fields(Report)}
    assert list(listed) == [field.path for field in schema_fields(Report)]
    assert listed["budget"].type == "Finding"
    assert listed["Finding.value"].type == "text or nothing"
    assert listed["people"].type == "list of text"
    assert listed["Finding.confidence"].type == "number"
    assert listed["Finding"].type is None
    assert listed["Report"].description == Report.__doc__


def test_descriptions_change_the_schema_that_is_sent_and_nothing_else() -> None:
    before = json.dumps(schema_of(Report))
    told = described(Report, {"budget": "The pot.", "Finding.value": "Plainly.", "Report": "All of it."}, where="x")
    schema = schema_of(told)
    assert schema["name"] == "Report"
    assert schema["description"] == "All of it."
    assert schema["parameters"]["properties"]["budget"]["description"] == "The pot."
    assert schema["parameters"]["$defs"]["Finding"]["properties"]["value"]["description"] == "Plainly."
    assert json.dumps(schema_of(Report)) == before
    found = reply_in(told, body(GOOD))
    assert isinstance(found, Report)
    assert found.model_dump() == VALUE.model_dump()


def test_a_described_reply_is_made_once_and_none_without_descriptions() -> None:
    told = {"people": "Who.", "budget": "The pot."}
    assert described(Report, told, where="x") is described(Report, dict(reversed(told.items())), where="y")
    assert described(Report, {}, where="x") is Report


def test_instructor_sends_the_same_descriptions() -> None:
    from instructor.processing.schema import generate_openai_schema

    told = described(Report, {"Finding.value": "Plainly."}, where="x")
    assert generate_openai_schema(instructed(told)) == schema_of(told)


def test_a_field_that_the_reply_has_not_is_refused_with_those_it_has() -> None:
    with pytest.raises(PromptError, match=r"^question@1: the reply has no field 'Finding.price'.*Finding.value"):
        described(Report, {"Finding.price": "x"}, where="question@1")


def test_an_answer_is_recorded_under_the_descriptions_that_it_was_asked_with() -> None:
    def key(reply: type[Reply]) -> str:
        return Call("m", ({"role": "user", "content": "x"},), schema_of(reply), 0.1, 100).key

    assert key(described(Report, {"budget": "The pot."}, where="x")) != key(Report)
