"""Answers from recordings, found by the canonical request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.errors import ConfigurationError
from engine.llm.completion import Call, Completion
from engine.llm.fake import FakeModel, FakeModelConfig, Fault
from engine.llm.recordings import RecordingStore
from engine.llm.reply import Reply, schema_of
from engine.llm.service import ModelRequest, ModelService
from tests.engine.llm.fake.calls import FILLED, arguments_of, json_call, post, tool_call

SCHEMA = tool_call()["tools"][0]["function"]
MALFORMED = {"id": "x", "object": "chat.completion", "choices": [{"index": 0, "message": {"content": '{"mood": "wa'}}]}


def _call(model: str = "openai/some-model") -> Call:
    return Call(model, tuple(tool_call()["messages"]), SCHEMA, 0.3, 512)


def _request(**changes: Any) -> dict[str, Any]:
    """The body that leads to `_call`."""
    return tool_call(temperature=0.3, max_tokens=512) | changes


async def _record(folder: Path, call: Call, body: dict[str, Any]) -> None:
    store = RecordingStore(folder)
    await store.append(call.request, Completion(body, 812.0, None), call.sample)
    store.close()


@pytest.mark.parametrize(
    ("recorded_model", "sent"),
    [
        ("openai/some-model", {}),
        ("some-model", {}),
        ("anthropic/some-model", {"model": "anthropic/some-model"}),
        ("some-model", {"max_tokens": None, "max_completion_tokens": 512}),
    ],
)
async def test_a_recorded_completion_answers_its_request_as_it_came(
    tmp_path: Path, recorded_model: str, sent: dict[str, Any]
) -> None:
    await _record(tmp_path, _call(recorded_model), MALFORMED)
    async with FakeModel(FakeModelConfig(answers="recordings", recordings=(tmp_path,))) as fake:
        status, body, _ = await post(fake, _request(**sent))
    assert (status, body) == (200, MALFORMED)


@pytest.mark.parametrize(
    "other",
    [
        _request(model="another-model"),
        _request(temperature=0.4),
        _request(max_tokens=511),
        _request(messages=[{"role": "user", "content": "Something else"}]),
        json_call(),
    ],
)
async def test_a_request_that_was_not_recorded_is_missed_or_left_to_the_rules(
    tmp_path: Path, other: dict[str, Any]
) -> None:
    await _record(tmp_path, _call(), MALFORMED)
    missing = FakeModelConfig(answers="recordings", recordings=(tmp_path,))
    async with FakeModel(missing) as fake:
        status, body, _ = await post(fake, other)
        assert (status, body["error"]["code"], fake.stats.missed) == (404, "no_recording", 1)
    by_rules = FakeModelConfig(answers="recordings", recordings=(tmp_path,), on_miss="rules")
    async with FakeModel(by_rules) as fake:
        status, body, _ = await post(fake, other)
        message = body["choices"][0]["message"]
        assert status == 200
        assert json.loads(message["content"] or arguments_of(body)) == FILLED


async def test_a_recorded_answer_can_be_spoiled(tmp_path: Path) -> None:
    async with FakeModel() as model:
        _, good, _ = await post(model, _request())
    await _record(tmp_path, _call(), good)
    config = FakeModelConfig(answers="recordings", recordings=(tmp_path,), script=(Fault.LENGTH,))
    async with FakeModel(config) as fake:
        _, cut, _ = await post(fake, _request())
        _, whole, _ = await post(fake, _request())
    assert cut["choices"][0]["finish_reason"] == "length"
    assert whole == good


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="nowhere"):
        FakeModel(FakeModelConfig(answers="recordings", recordings=(tmp_path / "nowhere",)))


class _Mood(Reply):
    """How it feels."""

    mood: str
    confidence: float


async def test_what_the_real_client_recorded_answers_the_real_client(tmp_path: Path) -> None:
    request = ModelRequest(
        purpose="mood",
        model="openai/some-model",
        messages=({"role": "user", "content": "How does it feel? — “warm”"},),
        reply=_Mood,
        prompt="mood@12345678",
        temperature=0.1,
        max_tokens=100,
    )
    async with FakeModel() as fake, _service(fake, RecordingStore(tmp_path)) as service:
        live = await service.ask(request, deadline=60)
    async with (
        FakeModel(FakeModelConfig(answers="recordings", recordings=(tmp_path,))) as fake,
        _service(fake, None) as service,
    ):
        replayed = await service.ask(request, deadline=60)
        assert fake.stats.answered == 1
        assert fake.stats.replies == {schema_of(_Mood)["name"]: 1}
    assert live.value == replayed.value
    assert (live.source.tokens_in, live.source.tokens_out) == (replayed.source.tokens_in, replayed.source.tokens_out)


def _service(fake: FakeModel, store: RecordingStore | None) -> ModelService:
    return ModelService(store=store, api_base=fake.base_url, api_key="any")
