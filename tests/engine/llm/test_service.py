from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from engine.errors import ConfigurationError, ModelCallError
from engine.llm.fake import FakeModel, FakeModelConfig, Fault
from engine.llm.fake.chat import ChatRequest
from engine.llm.limits import CircuitBreaker, Ledger, Limits
from engine.llm.recordings import RecordingMode, RecordingStore
from engine.llm.sending import PREPARED_AT_A_TIME
from engine.llm.service import ModelService
from engine.model.analysis import FallbackReason as Reason
from tests.engine.llm.asking import Finding, Report, failure, model_with, patient_breaker, request, service_for


class Answering:
    """Answers with what it is given, again and again, and keeps the requests."""

    def __init__(self, *answers: Mapping[str, Any]) -> None:
        self._answers = list(answers)
        self.chats: list[ChatRequest] = []

    def answer(self, chat: ChatRequest) -> Mapping[str, Any]:
        self.chats.append(chat)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


GOOD = {"budget": {"value": "40k", "confidence": 0.9}, "people": ["Dana"], "thoughts": "they are keen"}
BAD = {"budget": {"value": "40k", "confidence": "quite"}}


@pytest.fixture
async def fake() -> AsyncIterator[FakeModel]:
    async with FakeModel(FakeModelConfig(answers=Answering(GOOD), retry_after_s=0)) as fake:
        yield fake


async def test_a_reply_comes_with_its_source(fake: FakeModel) -> None:
    async with service_for(fake.base_url) as service:
        reply = await service.ask(request(), deadline=60)

    assert reply.value == Report(budget=Finding(value="40k", confidence=0.9), people=("Dana",))
    assert type(reply.value) is Report
    source = reply.source
    assert (source.kind, source.model, source.prompt) == ("llm", "openai/fake-model", "extraction@01234567")
    assert (source.attempts, source.fallback_reason, source.cost_usd) == (1, None, None)
    assert source.tokens_in > 0
    assert source.tokens_out > 0
    assert source.latency_ms is not None


async def test_a_known_model_has_a_price(fake: FakeModel) -> None:
    async with service_for(fake.base_url) as service:
        reply = await service.ask(request("openai/gpt-4o-mini"), deadline=60)

    expected = (0.15 * reply.source.tokens_in + 0.6 * reply.source.tokens_out) / 1e6
    assert reply.source.cost_usd == pytest.approx(expected, rel=0.01)


async def test_what_is_asked_is_the_tool_the_messages_and_the_parameters() -> None:
    answers = Answering(GOOD)
    async with FakeModel(FakeModelConfig(answers=answers)) as fake, service_for(fake.base_url) as service:
        await service.ask(request(), deadline=60)

    (chat,) = answers.chats
    assert (chat.form, chat.reply_name, chat.tool_is_forced) == ("tool", "Report", True)
    assert [message["role"] for message in chat.messages] == ["system", "user"]
    assert (chat.body["temperature"], chat.body["max_tokens"]) == (0.1, 200)


async def test_an_invalid_reply_is_asked_again_with_what_is_wrong_with_it() -> None:
    answers = Answering(BAD, GOOD)
    async with FakeModel(FakeModelConfig(answers=answers)) as fake, service_for(fake.base_url) as service:
        reply = await service.ask(request(), deadline=60)

    assert reply.value.budget.value == "40k"
    assert type(reply.value) is Report
    assert reply.source.attempts == 2
    first, second = answers.chats
    said = [message["role"] for message in second.messages]
    assert said == [message["role"] for message in first.messages] + ["assistant", "tool"]
    assert "budget.confidence" in second.messages[-1]["content"]
    assert "errors.pydantic.dev" not in second.messages[-1]["content"]


@pytest.mark.parametrize("reasks", [0, 1, 2])
async def test_an_invalid_reply_is_asked_again_as_often_as_allowed(reasks: int) -> None:
    answers = Answering(BAD)
    async with FakeModel(FakeModelConfig(answers=answers)) as fake, service_for(fake.base_url) as service:
        source = await failure(service, request(reasks=reasks))

    assert (source.fallback_reason, source.attempts) == (Reason.INVALID_REPLY, reasks + 1)


async def test_a_broken_connection_during_a_reask_is_repeated_too() -> None:
    config = FakeModelConfig(script=(Fault.BAD_JSON, Fault.RESET))
    async with FakeModel(config) as fake, service_for(fake.base_url) as service:
        reply = await service.ask(request(), deadline=60)

    assert (reply.source.attempts, fake.stats.requests) == (3, 3)


async def test_at_most_two_repetitions_in_one_ask_however_many_completions_it_takes() -> None:
    config = FakeModelConfig(script=(Fault.RESET, Fault.BAD_JSON, Fault.RESET, Fault.RESET))
    async with FakeModel(config) as fake, service_for(fake.base_url) as service:
        source = await failure(service, request())

    assert (source.fallback_reason, fake.stats.requests) == (Reason.CONNECTION, 4)


async def test_messages_too_long_for_the_model_are_cut_in_the_middle_of_the_longest() -> None:
    answers = Answering(GOOD)
    config = FakeModelConfig(answers=answers, script=(Fault.CONTEXT_TOO_LONG,))
    text = "first " + "middle " * 500 + "last"
    async with FakeModel(config) as fake, service_for(fake.base_url) as service:
        await service.ask(request(text=text), deadline=60)

    cut = answers.chats[-1].messages[-1]["content"]
    assert len(cut) < 0.6 * len(text)
    assert cut.startswith("first ")
    assert cut.endswith("last")
    assert answers.chats[-1].messages[0]["content"] == "Report."


async def test_nothing_of_the_answer_hangs_on_the_error() -> None:
    async with FakeModel() as fake, service_for(fake.base_url) as service:
        with pytest.raises(ModelCallError) as caught:
            await service.ask(request(model_with(Fault.PROSE)), deadline=60)

    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert "Let me think" not in "".join(traceback.format_exception(caught.value))


async def test_a_cancelled_ask_stays_cancelled(fake: FakeModel) -> None:
    async with service_for(fake.base_url) as service:
        await service.warm_up()
        asked = asyncio.create_task(service.ask(request(model_with(Fault.HANG)), deadline=60))
        while not fake.stats.under_way:  # noqa: ASYNC110  # the server has no event for it
            await asyncio.sleep(0.01)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked


async def test_any_number_of_requests_is_under_way_though_few_are_prepared_at_a_time() -> None:
    number = 5 * PREPARED_AT_A_TIME
    async with FakeModel(FakeModelConfig(latency_ms=2000)) as fake, service_for(fake.base_url) as service:
        await service.warm_up()
        await asyncio.gather(*(service.ask(request(), deadline=60) for _ in range(number)))

    assert fake.stats.most_under_way == number


async def test_calls_that_never_get_to_send_leave_their_place_to_others(fake: FakeModel) -> None:
    impossible = [request("openai/fake-model", temperature=object()) for _ in range(2 * PREPARED_AT_A_TIME)]
    async with service_for(fake.base_url, breaker=patient_breaker()) as service:
        for asked in impossible:
            await failure(service, asked)
        reply = await service.ask(request(), deadline=60)

    assert reply.source.kind == "llm"
    assert fake.stats.requests == 1


async def test_a_service_survives_a_change_of_loop() -> None:
    async with FakeModel() as fake:
        service = service_for(fake.base_url)

        async def ask_once() -> str:
            try:
                return (await service.ask(request(), deadline=60)).source.kind
            finally:
                await service.aclose()

        kinds = [await asyncio.to_thread(asyncio.run, ask_once()) for _ in range(2)]

    assert kinds == ["llm", "llm"]


async def test_a_key_that_is_refused_opens_the_circuit_at_once(fake: FakeModel) -> None:
    async with service_for(fake.base_url) as service:
        first = await failure(service, request(model_with(Fault.UNAUTHORISED)))
        second = await failure(service, request())

    assert (first.fallback_reason, second.fallback_reason) == (Reason.NOT_AUTHORISED, Reason.CIRCUIT_OPEN)
    assert (fake.stats.requests, second.attempts) == (1, 0)


async def test_a_model_that_is_not_found_stops_itself_alone(fake: FakeModel) -> None:
    missing = request(model_with(Fault.NOT_FOUND))
    async with service_for(fake.base_url) as service:
        await failure(service, missing)
        again = await failure(service, missing)
        reply = await service.ask(request(), deadline=60)

    assert again.fallback_reason is Reason.CIRCUIT_OPEN
    assert reply.source.kind == "llm"


async def test_a_provider_that_keeps_failing_rests_and_is_tried_again(fake: FakeModel) -> None:
    now = [0.0]
    breaker = CircuitBreaker(failures=2, rest_s=30, clock=lambda: now[0])
    failing = request(model_with(Fault.SERVER_ERROR))
    async with service_for(fake.base_url, breaker=breaker) as service:
        reasons = [(await failure(service, failing)).fallback_reason for _ in range(3)]
        now[0] = 31.0
        reply = await service.ask(request(), deadline=60)

    assert reasons == [Reason.SERVER_ERROR, Reason.SERVER_ERROR, Reason.CIRCUIT_OPEN]
    assert reply.source.kind == "llm"


async def test_deadlines_that_pass_count_as_failures(fake: FakeModel) -> None:
    hanging = request(model_with(Fault.HANG))
    async with service_for(fake.base_url, breaker=CircuitBreaker(failures=2)) as service:
        await service.warm_up()
        reasons = [(await failure(service, hanging, deadline=0.1)).fallback_reason for _ in range(3)]

    assert reasons == [Reason.DEADLINE, Reason.DEADLINE, Reason.CIRCUIT_OPEN]


async def test_a_limit_of_calls_is_never_overrun(fake: FakeModel) -> None:
    ledger = Ledger(Limits(max_calls=5))
    async with service_for(fake.base_url, ledger=ledger, breaker=patient_breaker()) as service:
        asks = [service.ask(request(), deadline=60) for _ in range(12)]
        ends = await asyncio.gather(*asks, return_exceptions=True)

    reasons = [end.source.fallback_reason for end in ends if isinstance(end, ModelCallError)]
    assert reasons == [Reason.LIMIT_REACHED] * 7
    assert (fake.stats.requests, ledger.spent.calls) == (5, 5)


async def test_with_a_limit_of_money_a_model_without_a_price_is_not_asked(fake: FakeModel) -> None:
    ledger = Ledger(Limits(max_cost_usd=1.0))
    async with service_for(fake.base_url, ledger=ledger) as service:
        unknown = await failure(service, request())
        known = await service.ask(request("openai/gpt-4o-mini"), deadline=60)

    assert (unknown.fallback_reason, unknown.attempts) == (Reason.LIMIT_REACHED, 0)
    assert ledger.spent.cost_usd == known.source.cost_usd
    assert fake.stats.requests == 1


async def test_what_was_spent_is_in_the_ledger(fake: FakeModel) -> None:
    ledger = Ledger()
    async with service_for(fake.base_url, ledger=ledger) as service:
        source = await failure(service, request(model_with(Fault.BAD_JSON)))

    assert (ledger.spent.calls, ledger.spent.tokens) == (2, source.tokens_in + source.tokens_out)
    assert ledger.spent.cost_usd is None


async def test_recorded_mode_needs_no_server_and_no_key(fake: FakeModel, tmp_path: Path) -> None:
    async with service_for(fake.base_url, store=RecordingStore(tmp_path)) as service:
        live = await service.ask(request(), deadline=60)
    async with ModelService(store=RecordingStore(read_only=[tmp_path]), mode=RecordingMode.RECORDED) as service:
        recorded = await service.ask(request(), deadline=60)

    assert recorded.value == live.value
    assert (live.source.kind, recorded.source.kind) == ("llm", "recorded")
    assert recorded.source.tokens_in == live.source.tokens_in
    assert recorded.source.latency_ms is not None
    assert fake.stats.requests == 1


async def test_recorded_mode_asks_nobody_for_what_is_missing(fake: FakeModel, tmp_path: Path) -> None:
    store = RecordingStore(tmp_path)
    async with service_for(fake.base_url, store=store, mode=RecordingMode.RECORDED) as service:
        source = await failure(service, request())

    assert (source.fallback_reason, source.attempts, fake.stats.requests) == (Reason.NO_RECORDING, 0, 0)


async def test_reuse_asks_once_and_each_sample_apart(fake: FakeModel, tmp_path: Path) -> None:
    async with service_for(fake.base_url, store=RecordingStore(tmp_path), mode=RecordingMode.REUSE) as service:
        replies = [await service.ask(request(sample=sample), deadline=60) for sample in (0, 0, 1, 1, 0)]

    assert [reply.source.kind for reply in replies] == ["llm", "recorded", "llm", "recorded", "recorded"]
    assert fake.stats.requests == 2


@pytest.mark.parametrize("fault", [Fault.BAD_JSON, Fault.LENGTH, Fault.REFUSAL, Fault.PROSE, Fault.NAN])
async def test_an_unusable_answer_is_replayed_to_the_same_end(fake: FakeModel, tmp_path: Path, fault: Fault) -> None:
    asked = request(model_with(fault))
    async with service_for(fake.base_url, store=RecordingStore(tmp_path)) as service:
        live = await failure(service, asked)
    async with ModelService(store=RecordingStore(tmp_path), mode=RecordingMode.RECORDED) as service:
        recorded = await failure(service, asked)

    assert recorded.fallback_reason is live.fallback_reason
    assert (recorded.attempts, recorded.tokens_out) == (live.attempts, live.tokens_out)


async def test_a_mended_reply_is_replayed_to_the_same_value(tmp_path: Path) -> None:
    config = FakeModelConfig(answers=Answering(BAD, GOOD))
    async with FakeModel(config) as fake, service_for(fake.base_url, store=RecordingStore(tmp_path)) as service:
        live = await service.ask(request(), deadline=60)
    async with ModelService(store=RecordingStore(tmp_path), mode=RecordingMode.RECORDED) as service:
        recorded = await service.ask(request(), deadline=60)

    assert recorded.value == live.value
    assert recorded.source.attempts == 2


@pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.RESET, Fault.RATE_LIMITED, Fault.EMPTY_CHOICES])
async def test_calls_that_failed_are_not_recorded(fake: FakeModel, tmp_path: Path, fault: Fault) -> None:
    async with service_for(fake.base_url, store=RecordingStore(tmp_path)) as service:
        await failure(service, request(model_with(fault)))

    assert not RecordingStore(tmp_path).find(request(model_with(fault)).call.request)


async def test_an_answer_that_cannot_be_kept_is_not_used(fake: FakeModel, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    async with service_for(fake.base_url, store=RecordingStore(tmp_path / "file")) as service:
        source = await failure(service, request())

    assert source.fallback_reason is Reason.UNEXPECTED
    assert source.tokens_in > 0


def test_a_mode_that_needs_a_store_says_so() -> None:
    with pytest.raises(ConfigurationError, match="reuse needs a recording store"):
        ModelService(mode=RecordingMode.REUSE)
