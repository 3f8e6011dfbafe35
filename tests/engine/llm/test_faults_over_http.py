"""Every fault that the fake model can show, over real HTTP: the reason, the number of requests, the deadline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from engine.llm.fake import FakeModel, FakeModelConfig, Fault
from engine.llm.retries import RetryPolicy
from engine.model.analysis import FallbackReason as Reason
from tests.engine.llm.asking import failure, lateness_of_a_sleep, model_with, request, seconds_of, service_for

# fault: (reason, HTTP requests)
TABLE: dict[Fault, tuple[Reason, int]] = {
    Fault.LENGTH: (Reason.TRUNCATED, 2),
    Fault.BAD_JSON: (Reason.INVALID_REPLY, 2),
    Fault.WRONG_SCHEMA: (Reason.INVALID_REPLY, 2),
    Fault.NAN: (Reason.INVALID_REPLY, 2),
    Fault.REFUSAL: (Reason.REFUSED, 1),
    Fault.NULL: (Reason.REFUSED, 1),
    Fault.PROSE: (Reason.REFUSED, 1),
    Fault.EMPTY_CHOICES: (Reason.EMPTY_REPLY, 3),
    Fault.BAD_REQUEST: (Reason.BAD_REQUEST, 1),
    Fault.CONTENT_POLICY: (Reason.CONTENT_POLICY, 1),
    Fault.CONTEXT_TOO_LONG: (Reason.CONTEXT_TOO_LONG, 2),
    Fault.UNAUTHORISED: (Reason.NOT_AUTHORISED, 1),
    Fault.FORBIDDEN: (Reason.NOT_AUTHORISED, 1),
    Fault.NOT_FOUND: (Reason.MODEL_NOT_FOUND, 1),
    Fault.RATE_LIMITED: (Reason.RATE_LIMITED, 3),
    Fault.INSUFFICIENT_QUOTA: (Reason.QUOTA_EXHAUSTED, 1),
    Fault.SERVER_ERROR: (Reason.SERVER_ERROR, 3),
    Fault.BAD_GATEWAY: (Reason.SERVER_ERROR, 3),
    Fault.UNAVAILABLE: (Reason.SERVER_ERROR, 3),
    Fault.RESET: (Reason.CONNECTION, 3),
    Fault.CUT_BODY: (Reason.CONNECTION, 3),
    Fault.HTML_200: (Reason.SERVER_ERROR, 3),
    Fault.HANG: (Reason.TIMEOUT, 3),
    Fault.DRIP: (Reason.DEADLINE, 1),
}
# What arrives is paid for, whether it can be used or not.
ARRIVES = {
    Fault.LENGTH,
    Fault.BAD_JSON,
    Fault.WRONG_SCHEMA,
    Fault.NAN,
    Fault.REFUSAL,
    Fault.NULL,
    Fault.PROSE,
    Fault.EMPTY_CHOICES,
}
PASSING = [fault for fault, (_, requests) in TABLE.items() if requests > 1 and fault is not Fault.LENGTH]


@pytest.fixture
async def fake() -> AsyncIterator[FakeModel]:
    async with FakeModel(FakeModelConfig(retry_after_s=0, drip_s=0.05)) as fake:
        yield fake


def test_the_table_has_every_fault() -> None:
    assert set(TABLE) == set(Fault)


@pytest.mark.parametrize("fault", TABLE)
async def test_a_fault_ends_with_its_reason_after_so_many_requests(fake: FakeModel, fault: Fault) -> None:
    reason, requests = TABLE[fault]
    silent = {"timeout_s": 0.1} if fault is Fault.HANG else {}
    async with service_for(fake.base_url, **silent) as service:
        await service.warm_up()
        source = await failure(service, request(model_with(fault)), deadline=2 if fault is Fault.DRIP else 60)

    assert (source.fallback_reason, fake.stats.requests, source.attempts) == (reason, requests, requests)
    assert source.kind == "rules"
    assert (source.tokens_in > 0) == (fault in ARRIVES)
    assert source.latency_ms is not None


@pytest.mark.parametrize("fault", PASSING)
async def test_a_fault_that_passes_is_survived(fault: Fault) -> None:
    config = FakeModelConfig(script=(fault,), retry_after_s=0)
    silent = {"timeout_s": 2} if fault is Fault.HANG else {}
    async with FakeModel(config) as fake, service_for(fake.base_url, **silent) as service:
        await service.warm_up()
        reply = await service.ask(request(), deadline=60)

    assert (reply.source.kind, reply.source.fallback_reason) == ("llm", None)
    assert (fake.stats.requests, reply.source.attempts) == (2, 2)


async def test_an_answer_cut_at_its_limit_is_asked_for_with_twice_the_room() -> None:
    async with FakeModel(FakeModelConfig(script=(Fault.LENGTH,))) as fake, service_for(fake.base_url) as service:
        await service.warm_up()
        reply = await service.ask(request(max_tokens=200), deadline=60)

    assert reply.source.attempts == 2
    assert reply.source.tokens_out > 200  # the cut answer took all of its room


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.DRIP])
async def test_the_deadline_is_kept_whatever_the_provider_does(fake: FakeModel, fault: Fault) -> None:
    deadline = 1.0
    async with service_for(fake.base_url) as service:
        await service.warm_up()
        asked = seconds_of(failure(service, request(model_with(fault)), deadline=deadline))
        (source, elapsed), late = await asyncio.gather(asked, lateness_of_a_sleep(deadline))

    assert source.fallback_reason is Reason.DEADLINE
    assert elapsed < deadline + 0.2 + late
    assert (fake.stats.requests, source.attempts) == (1, 1)


async def test_a_pause_that_would_outlast_the_deadline_is_not_begun() -> None:
    async with FakeModel(FakeModelConfig(retry_after_s=30)) as fake, service_for(fake.base_url) as service:
        await service.warm_up()
        source, elapsed = await seconds_of(failure(service, request(model_with(Fault.RATE_LIMITED)), deadline=20))

    assert (source.fallback_reason, fake.stats.requests) == (Reason.RATE_LIMITED, 1)
    assert elapsed < 10


async def test_the_pause_that_a_provider_asks_for_is_kept() -> None:
    config = FakeModelConfig(script=(Fault.RATE_LIMITED,), retry_after_s=0.3)
    async with FakeModel(config) as fake, service_for(fake.base_url) as service:
        await service.warm_up()
        _, elapsed = await seconds_of(service.ask(request(), deadline=60))

    assert elapsed >= 0.3


async def test_nobody_at_the_address_is_a_broken_connection() -> None:
    async with FakeModel() as fake:
        nobody = fake.base_url
    async with service_for(nobody, retries=RetryPolicy(repeats=1, first_pause_s=0)) as service:
        source = await failure(service, request())

    assert (source.fallback_reason, source.attempts) == (Reason.CONNECTION, 2)


async def test_an_unknown_provider_is_a_bad_request() -> None:
    async with service_for("http://127.0.0.1:9/v1") as service:
        source = await failure(service, request("no-such-provider/some-model"))

    assert source.fallback_reason is Reason.BAD_REQUEST
