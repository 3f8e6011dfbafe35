"""A small request to ask with, and the ways of asking it that the tests share."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from engine.errors import ModelCallError
from engine.llm.fake import Fault
from engine.llm.limits import CircuitBreaker
from engine.llm.reply import Reply
from engine.llm.retries import RetryPolicy
from engine.llm.service import ModelRequest, ModelService
from engine.model.analysis import Source

KEY = "sk-not-needed"
AT_ONCE = RetryPolicy(first_pause_s=0)


class Finding(Reply):
    """One dimension."""

    value: str | None = None
    confidence: float = 0.0


class Report(Reply):
    """What the customer said."""

    budget: Finding
    people: tuple[str, ...] = ()


def request(
    model: str = "openai/fake-model", text: str = "[0] customer: We have 40k.", **given: Any
) -> ModelRequest[Report]:
    asked: dict[str, Any] = {
        "purpose": "extraction",
        "messages": ({"role": "system", "content": "Report."}, {"role": "user", "content": text}),
        "reply": Report,
        "prompt": "extraction@01234567",
        "temperature": 0.1,
        "max_tokens": 200,
    }
    return ModelRequest(model=model, **{**asked, **given})


def model_with(fault: Fault | str) -> str:
    """The model name that makes the fake model show `fault`."""
    return f"openai/fake-{fault}"


def service_for(base_url: str, **given: Any) -> ModelService:
    """A service that asks the fake model, and repeats without a pause."""
    return ModelService(**{"api_base": base_url, "api_key": KEY, "retries": AT_ONCE, **given})


def patient_breaker() -> CircuitBreaker:
    return CircuitBreaker(failures=10_000)


async def failure(service: ModelService, asked: ModelRequest[Any], *, deadline: float = 60) -> Source:
    """The source of an ask that must fail."""
    try:
        reply = await service.ask(asked, deadline=deadline)
    except ModelCallError as error:
        return error.source
    raise AssertionError(f"answered, in the place of a failure, with {reply}")


async def seconds_of(awaitable: Any) -> tuple[Any, float]:
    started = time.perf_counter()
    return await awaitable, time.perf_counter() - started


async def lateness_of_a_sleep(seconds: float) -> float:
    """How late this machine is now: by how much a plain sleep overruns."""
    return (await seconds_of(asyncio.sleep(seconds)))[1] - seconds
