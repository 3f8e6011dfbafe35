"""The protocol as real clients read it: the openai SDK, litellm, and instructor over litellm."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.llm.fake import FakeModel, Fault
from tests.engine.llm.fake.calls import FILLED, tool_call


@pytest.fixture
def litellm(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    monkeypatch.setattr(litellm, "suppress_debug_info", True)
    return litellm


async def test_the_openai_sdk_reads_completions_and_models() -> None:
    from openai import AsyncOpenAI

    async with FakeModel() as fake, AsyncOpenAI(base_url=fake.base_url, api_key="any", max_retries=0) as client:
        completion = await client.chat.completions.create(**tool_call())
        models = [model.id async for model in client.models.list()]
    call = completion.choices[0].message.tool_calls[0]
    assert json.loads(call.function.arguments) == FILLED
    assert completion.usage is not None
    assert completion.usage.total_tokens > 0
    assert "fake-429" in models


@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        (Fault.BAD_REQUEST, "BadRequestError", None),
        (Fault.CONTENT_POLICY, "BadRequestError", "content_policy_violation"),
        (Fault.CONTEXT_TOO_LONG, "BadRequestError", "context_length_exceeded"),
        (Fault.UNAUTHORISED, "AuthenticationError", "invalid_api_key"),
        (Fault.FORBIDDEN, "PermissionDeniedError", "forbidden"),
        (Fault.NOT_FOUND, "NotFoundError", "model_not_found"),
        (Fault.RATE_LIMITED, "RateLimitError", "rate_limit_exceeded"),
        (Fault.INSUFFICIENT_QUOTA, "RateLimitError", "insufficient_quota"),
        (Fault.SERVER_ERROR, "InternalServerError", None),
        (Fault.BAD_GATEWAY, "InternalServerError", None),
        (Fault.UNAVAILABLE, "InternalServerError", None),
        (Fault.RESET, "APIConnectionError", None),
        (Fault.CUT_BODY, "APIConnectionError", None),
        (Fault.HANG, "APITimeoutError", None),
    ],
)
async def test_the_openai_sdk_takes_each_failed_request_for_what_it_stands_for(
    fault: Fault, error: str, code: str | None
) -> None:
    import openai

    timeout_s = 0.5 if fault is Fault.HANG else 60
    async with (
        FakeModel() as fake,
        openai.AsyncOpenAI(base_url=fake.base_url, api_key="any", max_retries=0, timeout=timeout_s) as client,
    ):
        with pytest.raises(getattr(openai, error)) as raised:
            await client.chat.completions.create(**tool_call(f"fake-{fault}"))
        assert raised.value.code == code
        assert fake.stats.requests == 1


async def test_litellm_reads_a_tool_call_and_its_usage(litellm: Any) -> None:
    async with FakeModel() as fake:
        request = tool_call("openai/some-model")
        completion = await litellm.acompletion(**request, api_base=fake.base_url, api_key="any", max_retries=0)
    call = completion.choices[0].message.tool_calls[0]
    assert (call.function.name, json.loads(call.function.arguments)) == ("Reply", FILLED)
    assert completion.usage.total_tokens > 0


@pytest.mark.parametrize("mode", ["TOOLS", "JSON_SCHEMA", "JSON"])
async def test_instructor_reads_an_answer_in_each_of_its_modes(litellm: Any, mode: str) -> None:
    import instructor
    from pydantic import BaseModel

    class Reply(BaseModel):
        mood: str
        confidence: float

    client = instructor.from_litellm(litellm.acompletion, mode=instructor.Mode[mode])
    async with FakeModel() as fake:
        reply = await client.chat.completions.create(
            response_model=Reply,
            max_retries=0,
            model="openai/some-model",
            api_base=fake.base_url,
            api_key="any",
            messages=[{"role": "user", "content": "Hello"}],
        )
        assert fake.stats.replies == {"Reply": 1}
    assert (reply.mood, reply.confidence) == ("answer", 0.0)
