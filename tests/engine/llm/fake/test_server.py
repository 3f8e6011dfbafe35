"""The fake model server as a client meets it: protocol, latency, counts and shutdown."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable

import aiohttp
import pytest

from engine.errors import ConfigurationError
from engine.llm.fake import FakeModel, FakeModelConfig, Fault, FirstOf, SchemaAnswers, WholeCompletion
from tests.engine.llm.fake.calls import FILLED, SCHEMA, arguments_of, json_call, post, tool_call


async def test_a_tool_call_is_answered_by_a_tool_call() -> None:
    async with FakeModel() as fake:
        status, body, headers = await post(fake, tool_call())
    choice = body["choices"][0]
    assert status == 200
    assert headers["Content-Type"] == "application/json"
    assert body["object"] == "chat.completion"
    assert body["model"] == "some-model"
    assert choice["finish_reason"] == "stop"
    assert choice["message"]["content"] is None
    assert choice["message"]["tool_calls"][0]["function"]["name"] == "Reply"
    assert json.loads(arguments_of(body)) == FILLED


@pytest.mark.parametrize(("tool_choice", "finish_reason"), [("auto", "tool_calls"), ("required", "stop")])
async def test_the_first_tool_is_called_when_none_is_named(tool_choice: str, finish_reason: str) -> None:
    async with FakeModel() as fake:
        _, body, _ = await post(fake, tool_call(tool_choice=tool_choice))
    assert body["choices"][0]["finish_reason"] == finish_reason
    assert json.loads(arguments_of(body)) == FILLED


async def test_a_tool_that_is_named_is_the_one_that_is_called() -> None:
    other = {"type": "function", "function": {"name": "Other", "parameters": {"type": "object", "properties": {}}}}
    request = tool_call()
    request["tools"].insert(0, other)
    async with FakeModel() as fake:
        _, body, _ = await post(fake, request)
    assert body["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "Reply"


async def test_a_json_schema_is_answered_by_content() -> None:
    async with FakeModel() as fake:
        _, body, _ = await post(fake, json_call())
    message = body["choices"][0]["message"]
    assert json.loads(message["content"]) == FILLED
    assert "tool_calls" not in message


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        (f"Answer in JSON: {{not this}} but\n{json.dumps(SCHEMA, indent=2)}\nplease", FILLED),
        ("Answer in JSON.", {}),
    ],
)
async def test_json_content_takes_its_schema_from_the_messages(content: str, answer: object) -> None:
    request = {
        "model": "some-model",
        "messages": [{"role": "system", "content": [{"type": "text", "text": content}]}],
        "response_format": {"type": "json_object"},
    }
    async with FakeModel() as fake:
        _, body, _ = await post(fake, request)
    assert json.loads(body["choices"][0]["message"]["content"]) == answer


@pytest.mark.parametrize("extra", [{}, {"tools": tool_call()["tools"], "tool_choice": "none"}])
async def test_plain_chat_gets_a_short_text(extra: dict[str, object]) -> None:
    async with FakeModel() as fake:
        _, body, _ = await post(fake, {"model": "m", "messages": [{"role": "user", "content": "Hello"}], **extra})
    assert 0 < len(body["choices"][0]["message"]["content"]) < 200


async def test_usage_grows_with_what_was_said() -> None:
    async with FakeModel() as fake:
        _, short, _ = await post(fake, tool_call(text="Hello"))
        _, long, _ = await post(fake, tool_call(text="Hello " * 1000))
    assert long["usage"]["prompt_tokens"] - short["usage"]["prompt_tokens"] == pytest.approx(1500, abs=5)
    assert long["usage"]["completion_tokens"] == short["usage"]["completion_tokens"] > 0
    assert long["usage"]["total_tokens"] == long["usage"]["prompt_tokens"] + long["usage"]["completion_tokens"]


async def test_ids_differ_from_answer_to_answer() -> None:
    async with FakeModel() as fake:
        ids = [(await post(fake, tool_call()))[1]["id"] for _ in range(3)]
    assert len(set(ids)) == 3


@pytest.mark.parametrize(
    "body",
    [
        "not an object",
        {"messages": [{"role": "user", "content": "x"}]},
        {"model": "m"},
        {"model": "m", "messages": []},
        {"model": "m", "messages": ["x"]},
        tool_call(stream=True),
        tool_call(tool_choice={"type": "function", "function": {"name": "Nobody"}}),
        tool_call(tools=[1]),
        tool_call(tools={"not": "a list"}),
        {"model": "m", "messages": [{"role": "user", "content": "x"}], "response_format": "json"},
    ],
)
async def test_a_request_that_is_none_is_rejected_in_openai_form(body: object) -> None:
    async with FakeModel() as fake:
        status, answer, _ = await post(fake, body)
        assert status == 400
        assert answer["error"]["type"] == "invalid_request_error"
        assert answer["error"]["message"]
        assert fake.stats.rejected == 1


async def test_the_models_are_listed() -> None:
    async with FakeModel() as fake, aiohttp.ClientSession() as client, client.get(f"{fake.base_url}/models") as reply:
        listed = await reply.json()
    assert listed["object"] == "list"
    assert {"fake-model", "fake-429", "fake-bad_json"} <= {model["id"] for model in listed["data"]}


async def test_every_answer_waits_for_the_set_latency_side_by_side() -> None:
    async with FakeModel(FakeModelConfig(latency_ms=300)) as fake:
        began = time.monotonic()
        await asyncio.gather(*(post(fake, tool_call()) for _ in range(20)))
        took = time.monotonic() - began
        stats = fake.stats
    assert took >= 0.3
    assert stats.most_under_way > 1
    assert stats.under_way == 0


class _NoAnswers:
    def answer(self, chat: object) -> None:
        return None


async def test_the_lack_of_an_answer_is_a_404_of_its_own_code() -> None:
    async with FakeModel(FakeModelConfig(answers=_NoAnswers())) as fake:
        status, body, _ = await post(fake, tool_call())
        assert (status, body["error"]["code"]) == (404, "no_recording")
        assert fake.stats.missed == 1


async def test_several_ways_of_answering_are_asked_in_turn() -> None:
    async with FakeModel(FakeModelConfig(answers=FirstOf(_NoAnswers(), SchemaAnswers()))) as fake:
        _, body, _ = await post(fake, tool_call())
    assert json.loads(arguments_of(body)) == FILLED


class _Recorded:
    body = {"id": "as it came", "choices": [{"message": {"role": "assistant", "content": "no tool call"}}]}  # noqa: RUF012

    def answer(self, chat: object) -> WholeCompletion:
        return WholeCompletion(self.body)


async def test_a_whole_completion_goes_out_as_it_came() -> None:
    async with FakeModel(FakeModelConfig(answers=_Recorded())) as fake:
        _, body, _ = await post(fake, tool_call())
    assert body == _Recorded.body


async def test_requests_are_counted_by_how_they_ended_and_what_they_wanted() -> None:
    async with FakeModel(FakeModelConfig(script=(None, Fault.SERVER_ERROR, Fault.NULL, Fault.NULL))) as fake:
        for body in [tool_call()] * 5 + [{"model": "m"}, {"model": "m", "messages": [{"role": "user"}]}]:
            await post(fake, body)
        counted = await _get_stats(fake)
    assert counted == {
        "requests": 7,
        "answered": 3,
        "missed": 0,
        "rejected": 1,
        "faults": {"500": 1, "null": 2},
        "replies": {"Reply": 5, "text": 1},
        "under_way": 0,
        "most_under_way": 1,
    }


async def test_a_reset_of_the_counts_starts_the_script_over() -> None:
    async with FakeModel(FakeModelConfig(script=(Fault.SERVER_ERROR,))) as fake:
        before = [(await post(fake, tool_call()))[0] for _ in range(2)]
        async with aiohttp.ClientSession() as client:
            await client.post(fake.base_url.replace("/v1", "/stats/reset"))
        assert fake.stats.requests == 0
        after = [(await post(fake, tool_call()))[0] for _ in range(2)]
    assert before == after == [500, 200]


async def test_two_servers_live_side_by_side_and_a_taken_port_is_said() -> None:
    async with FakeModel() as one, FakeModel() as two:
        assert one.base_url != two.base_url
        taken = int(one.base_url.rpartition(":")[2].removesuffix("/v1"))
        with pytest.raises(ConfigurationError, match=f"port {taken}"):
            await FakeModel(FakeModelConfig(port=taken)).start()


async def test_a_server_that_is_not_started_has_no_address() -> None:
    with pytest.raises(RuntimeError, match="not started"):
        _ = FakeModel().base_url


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.DRIP])
async def test_stopping_ends_requests_that_would_never_end(fault: Fault) -> None:
    fake = FakeModel()
    await fake.start()
    pending = [asyncio.create_task(post(fake, tool_call(f"fake-{fault}"), timeout_s=60)) for _ in range(3)]
    await _until(lambda: fake.stats.under_way == 3)
    await asyncio.wait_for(fake.stop(), 5)
    ends = await asyncio.wait_for(asyncio.gather(*pending, return_exceptions=True), 5)
    assert all(isinstance(end, aiohttp.ClientError) for end in ends), ends
    assert fake.stats.under_way == 0


async def test_a_server_that_was_stopped_can_be_started_again() -> None:
    fake = FakeModel()
    for _ in range(2):
        async with fake:
            with pytest.raises(TimeoutError):
                await post(fake, tool_call("fake-hang"), timeout_s=0.2)


async def test_a_client_that_leaves_a_hanging_request_frees_it() -> None:
    async with FakeModel() as fake:
        with pytest.raises(TimeoutError):
            await post(fake, tool_call("fake-hang"), timeout_s=0.2)
        await _until(lambda: fake.stats.under_way == 0)


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for is a count, not an event of ours
            await asyncio.sleep(0.01)


async def _get_stats(fake: FakeModel) -> object:
    async with aiohttp.ClientSession() as client, client.get(fake.base_url.replace("/v1", "/stats")) as response:
        return await response.json()
