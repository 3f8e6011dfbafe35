"""A supervised call to a model: entered in the ledger, held back by the breaker, repeated where that may help."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from engine.llm.client import ModelClient
from engine.llm.completion import Call, Completion
from engine.llm.faults import FaultError
from engine.llm.libraries import import_libraries
from engine.llm.limits import CircuitBreaker, Ledger, Spend, sum_of_costs
from engine.llm.retries import RetryPolicy
from engine.model.analysis import FallbackReason


@dataclass(slots=True)
class Tab:
    """What one ask has taken so far, whatever comes of it. `expires_at` is a time of the loop's clock."""

    expires_at: float
    began_at: float = field(default_factory=time.perf_counter)
    completions: list[Completion] = field(default_factory=list)
    attempts: int = 0
    repeats: int = 0

    def add_recorded(self, completion: Completion) -> None:
        self.attempts += 1
        self.completions.append(completion)

    @property
    def left_s(self) -> float:
        """Seconds left until the deadline."""
        return self.expires_at - asyncio.get_running_loop().time()

    @property
    def is_recorded(self) -> bool:
        """Whether every answer came from the recordings."""
        return all(completion.recorded for completion in self.completions)

    @property
    def tokens_in(self) -> int:
        return sum(completion.tokens_in for completion in self.completions)

    @property
    def tokens_out(self) -> int:
        return sum(completion.tokens_out for completion in self.completions)

    @property
    def cost_usd(self) -> float | None:
        return sum_of_costs(*(completion.cost_usd for completion in self.completions))

    @property
    def latency_ms(self) -> float | None:
        """The time it took; with recordings among the answers, the answers' own times, or None if one is unknown."""
        if any(completion.recorded for completion in self.completions):
            return sum_of_costs(*(completion.latency_ms for completion in self.completions))
        return (time.perf_counter() - self.began_at) * 1000


class Caller:
    """Gets completions from models; raises FaultError where there is none to be had."""

    def __init__(self, client: ModelClient, ledger: Ledger, breaker: CircuitBreaker, retries: RetryPolicy) -> None:
        self._client = client
        self._ledger = ledger
        self._breaker = breaker
        self._retries = retries

    async def complete(self, call: Call, tab: Tab) -> Completion:
        """The answer to `call`, after repetitions where they may help."""
        self._breaker.check(call.model)
        await import_libraries()
        try:
            completion = await self._repeated(call, tab)
        except FaultError as fault:
            self._breaker.failed(call.model, fault.reason)
            raise
        self._breaker.succeeded(call.model)
        return completion

    async def _repeated(self, call: Call, tab: Tab) -> Completion:
        while True:
            try:
                return await self._once(call, tab)
            except FaultError as fault:
                pause_s = self._retries.pause_s(fault, repeated=tab.repeats, left_s=tab.left_s)
                if pause_s is None:
                    raise
            tab.repeats += 1
            await asyncio.sleep(pause_s)

    async def _once(self, call: Call, tab: Tab) -> Completion:
        """One HTTP request. One that is cut off at the deadline may be billed all the same, so it stays reserved."""
        number = self._ledger.reserve(self._client.estimate(call, priced=self._ledger.limits_money))
        tab.attempts += 1
        try:
            completion = await self._client.complete(call)
        except FaultError:
            self._ledger.settle(number, Spend(calls=1))
            raise
        self._ledger.settle(number, Spend(1, completion.tokens_in + completion.tokens_out, completion.cost_usd))
        tab.completions.append(completion)
        if not completion.body.get("choices"):
            raise FaultError(FallbackReason.EMPTY_REPLY)
        return completion
