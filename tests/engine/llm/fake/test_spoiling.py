"""Completions that arrive and cannot be used, over HTTP."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pytest

from engine.llm.fake import FakeModel, Fault
from engine.llm.fake.spoiling import SPOILS, misfit, with_nan
from tests.engine.llm.fake.calls import FILLED, SCHEMA, arguments_of, json_call, post, tool_call


def _is_cut(body: dict[str, Any]) -> bool:
    whole = json.dumps(FILLED, separators=(",", ":"))
    return body["choices"][0]["finish_reason"] == "length" and 0 < len(arguments_of(body)) < len(whole)


def _does_not_parse(body: dict[str, Any]) -> bool:
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(arguments_of(body))
    return True


def _fits_nowhere(body: dict[str, Any]) -> bool:
    answer = json.loads(arguments_of(body))
    return set(answer) == set(FILLED) and all(type(answer[name]) is not type(FILLED[name]) for name in FILLED)


def _has_nan(body: dict[str, Any]) -> bool:
    return math.isnan(json.loads(arguments_of(body))["confidence"])


def _message_is(**wanted: object) -> Callable[[dict[str, Any]], bool]:
    def check(body: dict[str, Any]) -> bool:
        message = body["choices"][0]["message"]
        return "tool_calls" not in message and all(message[name] == value for name, value in wanted.items())

    return check


def _refuses(body: dict[str, Any]) -> bool:
    return _message_is(content=None)(body) and bool(body["choices"][0]["message"]["refusal"])


def _talks(body: dict[str, Any]) -> bool:
    return _message_is(refusal=None)(body) and bool(body["choices"][0]["message"]["content"])


EXPECTED: dict[Fault, Callable[[dict[str, Any]], bool]] = {
    Fault.LENGTH: _is_cut,
    Fault.BAD_JSON: _does_not_parse,
    Fault.WRONG_SCHEMA: _fits_nowhere,
    Fault.NAN: _has_nan,
    Fault.REFUSAL: _refuses,
    Fault.NULL: _message_is(content=None, refusal=None),
    Fault.PROSE: _talks,
    Fault.EMPTY_CHOICES: lambda body: body["choices"] == [],
}


@pytest.mark.parametrize("fault", SPOILS)
async def test_each_fault_of_a_completion_shows_in_a_tool_call(fault: Fault) -> None:
    async with FakeModel() as fake:
        status, body, _ = await post(fake, tool_call(f"fake-{fault}"))
        assert status == 200
        assert EXPECTED[fault](body), body
        assert fake.stats.faults == {fault.value: 1}


@pytest.mark.parametrize("fault", SPOILS)
async def test_each_fault_of_a_completion_shows_in_json_content(fault: Fault) -> None:
    async with FakeModel() as fake:
        _, body, _ = await post(fake, json_call(f"fake-{fault}"))
    if fault is Fault.EMPTY_CHOICES:
        assert body["choices"] == []
        return
    content = body["choices"][0]["message"]["content"]
    assert content is None or content != json.dumps(FILLED, separators=(",", ":"))


@pytest.mark.parametrize("fault", SPOILS)
async def test_plain_chat_can_be_spoiled_too(fault: Fault) -> None:
    async with FakeModel() as fake:
        status, _, _ = await post(fake, {"model": f"fake-{fault}", "messages": [{"role": "user", "content": "Hello"}]})
    assert status == 200


async def test_an_answer_cut_at_its_length_used_the_whole_limit() -> None:
    async with FakeModel() as fake:
        _, body, _ = await post(fake, tool_call("fake-length", max_tokens=321))
    assert body["usage"]["completion_tokens"] == 321


@pytest.mark.parametrize(
    ("answer", "spoiled"),
    [
        ('{"a": 1, "b": 2}', '{"a": NaN, "b": 2}'),
        ('{"a": "a number: 5, in words", "b": [true, {"c": 0.5}]}',
         '{"a": "a number: 5, in words", "b": [true, {"c": NaN}]}'),
        ('{"a": "no number"}', "NaN"),
        ("not JSON", "NaN"),
    ],
)  # fmt: skip
def test_nan_takes_the_place_of_a_number_and_never_of_a_word(answer: str, spoiled: str) -> None:
    assert with_nan(answer) == spoiled


def test_a_misfit_has_a_type_that_the_field_does_not_accept() -> None:
    schema = {
        "$defs": {"Text": {"type": "string"}},
        "properties": {
            "reference": {"$ref": "#/$defs/Text"},
            "optional": {"anyOf": [{"$ref": "#/$defs/Text"}, {"type": "integer"}, {"type": "null"}]},
            "number": {"type": "number"},
            "either": {"type": ["string", "number", "array"]},
            "constant": {"const": "x"},
        },
    }
    assert {name: type(value) for name, value in misfit(schema).items()} == {
        "reference": int,
        "optional": list,
        "number": str,
        "either": dict,
        "constant": int,
    }
    assert set(misfit(SCHEMA)) == set(FILLED)
    assert not isinstance(misfit({}), dict)
