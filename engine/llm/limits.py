"""How much may be asked: a ledger of calls, tokens and money, and a circuit breaker per provider."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from engine.llm.faults import FaultError
from engine.model.analysis import FallbackReason


@dataclass(frozen=True, slots=True)
class Spend:
    """Calls (HTTP requests), tokens read and written, and dollars; `cost_usd` is None where no price is known."""

    calls: int = 0
    tokens: int = 0
    cost_usd: float | None = 0.0

    def __add__(self, other: Spend) -> Spend:
        return Spend(self.calls + other.calls, self.tokens + other.tokens, sum_of_costs(self.cost_usd, other.cost_usd))


def sum_of_costs(*costs: float | None) -> float | None:
    """The sum; None as soon as one is unknown."""
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be spent in all; None is no limit."""

    max_calls: int | None = None
    max_tokens: int | None = None
    max_cost_usd: float | None = None

    def allow(self, spend: Spend) -> bool:
        """Whether `spend` in all stays within. An unknown price is over any limit of money."""
        return (
            (self.max_calls is None or spend.calls <= self.max_calls)
            and (self.max_tokens is None or spend.tokens <= self.max_tokens)
            and (self.max_cost_usd is None or (spend.cost_usd is not None and spend.cost_usd <= self.max_cost_usd))
        )


class Ledger:
    """What was spent, and what may still be. Reserve before a call, settle after; safe to share between threads."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._lock = threading.Lock()
        self._settled = Spend()
        self._reserved: dict[int, Spend] = {}
        self._next = 0

    @property
    def spent(self) -> Spend:
        """What was settled so far. Its cost is None once an answer without a known price is in it."""
        with self._lock:
            return self._settled

    @property
    def limits_money(self) -> bool:
        """Whether a price must be known before a call."""
        return self.limits.max_cost_usd is not None

    def reserve(self, estimate: Spend) -> int:
        """Set `estimate` aside, and give the number to settle it under. Raises FaultError `limit_reached`."""
        with self._lock:
            if not self.limits.allow(sum(self._reserved.values(), self._settled + estimate)):
                raise FaultError(FallbackReason.LIMIT_REACHED)
            self._next += 1
            self._reserved[self._next] = estimate
            return self._next

    def settle(self, number: int, spend: Spend) -> None:
        """Put what was really spent in the place of what was set aside under `number`."""
        with self._lock:
            del self._reserved[number]
            self._settled = self._settled + spend


# The provider is there, but this key or model will not do, however often it is tried.
_AT_ONCE = frozenset({FallbackReason.NOT_AUTHORISED, FallbackReason.MODEL_NOT_FOUND})
_COUNTED = frozenset(
    {
        FallbackReason.CONNECTION,
        FallbackReason.TIMEOUT,
        FallbackReason.DEADLINE,
        FallbackReason.SERVER_ERROR,
        FallbackReason.RATE_LIMITED,
        FallbackReason.QUOTA_EXHAUSTED,
    }
)


@dataclass(slots=True)
class _Circuit:
    failures: int = 0
    resting_until: float | None = None  # None: nothing is wrong, or not often enough

    def rests_at(self, now: float) -> bool:
        return self.resting_until is not None and self.resting_until > now

    def let_one_through(self, next_one_at: float) -> None:
        if self.resting_until is not None:
            self.resting_until = next_one_at


@dataclass(slots=True)
class CircuitBreaker:
    """Stops asking where asking is in vain: after `failures` failed asks in a row, or one that no repetition cures.

    After `rest_s` seconds one ask is let through as a trial, and another one each `rest_s`, until one succeeds. A model
    that is not found stops itself alone, anything else its provider: what stands before the first slash of its name.
    Belongs to one event loop. `clock` gives seconds.
    """

    failures: int = 5
    rest_s: float = 30.0
    clock: Callable[[], float] = time.monotonic
    _circuits: dict[str, _Circuit] = field(default_factory=dict, init=False)

    def check(self, model: str) -> None:
        """Raise FaultError `circuit_open` if `model` is not to be asked now."""
        circuits = [self._circuits[name] for name in (provider_of(model), model) if name in self._circuits]
        if any(circuit.rests_at(self.clock()) for circuit in circuits):
            raise FaultError(FallbackReason.CIRCUIT_OPEN)
        for circuit in circuits:
            circuit.let_one_through(self.clock() + self.rest_s)

    def succeeded(self, model: str) -> None:
        """Note an answer, of whatever quality."""
        for name in (provider_of(model), model):
            self._circuits.pop(name, None)

    def failed(self, model: str, reason: FallbackReason) -> None:
        """Note an ask that failed for `reason`; what says nothing about the provider is not counted."""
        if reason not in _AT_ONCE | _COUNTED:
            return
        name = model if reason is FallbackReason.MODEL_NOT_FOUND else provider_of(model)
        circuit = self._circuits.setdefault(name, _Circuit())
        circuit.failures += 1
        if reason in _AT_ONCE or circuit.failures >= self.failures or circuit.resting_until is not None:
            circuit.resting_until = self.clock() + self.rest_s


def provider_of(model: str) -> str:
    """`openai/` of `openai/gpt-4o`; `/` of every name without a slash."""
    return "".join(model.partition("/")[:2]) if "/" in model else "/"
