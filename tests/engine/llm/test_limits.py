from __future__ import annotations

import pytest

from engine.llm.faults import FaultError
from engine.llm.limits import CircuitBreaker, Ledger, Limits, Spend
from engine.model.analysis import FallbackReason as Reason

MODEL = "openai/one"


@pytest.mark.parametrize(
    ("limits", "estimates", "allowed"),
    [
        (Limits(), [Spend(1, 10**9, None)], 1),
        (Limits(max_calls=2), [Spend(1)] * 4, 2),
        (Limits(max_calls=0), [Spend(1)], 0),
        (Limits(max_tokens=100), [Spend(1, 40)] * 4, 2),
        (Limits(max_cost_usd=0.1), [Spend(1, 0, 0.04)] * 4, 2),
        (Limits(max_cost_usd=0.1), [Spend(1, 0, None)], 0),  # an unknown price is over budget
        (Limits(max_calls=9, max_tokens=100), [Spend(1, 40)] * 4, 2),
    ],
)
def test_what_is_set_aside_stays_within_every_limit(limits: Limits, estimates: list[Spend], allowed: int) -> None:
    ledger = Ledger(limits)
    for _ in range(allowed):
        ledger.reserve(estimates[0])
    if len(estimates) > allowed:
        with pytest.raises(FaultError) as caught:
            ledger.reserve(estimates[-1])
        assert caught.value.reason is Reason.LIMIT_REACHED


def test_settling_gives_back_what_was_not_spent() -> None:
    ledger = Ledger(Limits(max_tokens=100))
    number = ledger.reserve(Spend(1, 90))
    ledger.settle(number, Spend(1, 20))
    ledger.reserve(Spend(1, 80))

    assert ledger.spent == Spend(1, 20)


def test_an_overrun_is_entered_as_it_is() -> None:
    ledger = Ledger(Limits(max_tokens=100))
    ledger.settle(ledger.reserve(Spend(1, 90)), Spend(1, 150))

    assert ledger.spent.tokens == 150
    with pytest.raises(FaultError):
        ledger.reserve(Spend(1, 0))


def test_one_unknown_price_makes_the_sum_unknown() -> None:
    assert Spend(1, 1, 0.5) + Spend(1, 1, None) == Spend(2, 2, None)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def breaker_and_clock() -> tuple[CircuitBreaker, Clock]:
    clock = Clock()
    return CircuitBreaker(failures=3, rest_s=10, clock=clock), clock


def is_open(breaker: CircuitBreaker, model: str = MODEL) -> bool:
    try:
        breaker.check(model)
    except FaultError as fault:
        return fault.reason is Reason.CIRCUIT_OPEN
    return False


def fail(breaker: CircuitBreaker, *reasons: Reason, model: str = MODEL) -> None:
    for reason in reasons:
        breaker.failed(model, reason)


@pytest.mark.parametrize(
    "reason", [Reason.CONNECTION, Reason.TIMEOUT, Reason.DEADLINE, Reason.SERVER_ERROR, Reason.RATE_LIMITED]
)
def test_it_opens_after_so_many_failures_in_a_row(reason: Reason) -> None:
    breaker, _ = breaker_and_clock()
    fail(breaker, reason, reason)
    assert not is_open(breaker)
    fail(breaker, reason)
    assert is_open(breaker)


def test_an_answer_between_failures_starts_the_count_again() -> None:
    breaker, _ = breaker_and_clock()
    fail(breaker, *[Reason.SERVER_ERROR] * 2)
    breaker.succeeded(MODEL)
    fail(breaker, *[Reason.SERVER_ERROR] * 2)
    assert not is_open(breaker)


@pytest.mark.parametrize("reason", [Reason.NOT_AUTHORISED, Reason.MODEL_NOT_FOUND])
def test_what_no_repetition_cures_opens_it_at_once(reason: Reason) -> None:
    breaker, _ = breaker_and_clock()
    fail(breaker, reason)
    assert is_open(breaker)


@pytest.mark.parametrize(
    "reason", [Reason.BAD_REQUEST, Reason.CONTENT_POLICY, Reason.CONTEXT_TOO_LONG, Reason.LIMIT_REACHED]
)
def test_what_says_nothing_about_the_provider_is_not_counted(reason: Reason) -> None:
    breaker, _ = breaker_and_clock()
    fail(breaker, *[reason] * 20)
    assert not is_open(breaker)


def test_after_a_rest_one_trial_is_let_through_at_a_time() -> None:
    breaker, clock = breaker_and_clock()
    fail(breaker, *[Reason.SERVER_ERROR] * 3)
    clock.now = 9.9
    assert is_open(breaker)
    clock.now = 10.0
    assert [is_open(breaker) for _ in range(3)] == [False, True, True]
    clock.now = 20.0  # the trial was never heard of again
    assert not is_open(breaker)


@pytest.mark.parametrize(("succeeds", "opened"), [(True, False), (False, True)])
def test_the_trial_decides(succeeds: bool, opened: bool) -> None:
    breaker, clock = breaker_and_clock()
    fail(breaker, *[Reason.SERVER_ERROR] * 3)
    clock.now = 10.0
    assert not is_open(breaker)
    if succeeds:
        breaker.succeeded(MODEL)
    else:
        fail(breaker, Reason.SERVER_ERROR)
    assert is_open(breaker) is opened


@pytest.mark.parametrize(
    ("reason", "model", "opened"),
    [
        (Reason.NOT_AUTHORISED, "openai/other", True),
        (Reason.NOT_AUTHORISED, "anthropic/one", False),
        (Reason.NOT_AUTHORISED, "gpt-4o", False),
        (Reason.MODEL_NOT_FOUND, "openai/other", False),
    ],
)
def test_a_provider_stops_all_its_models_and_a_missing_model_itself(reason: Reason, model: str, opened: bool) -> None:
    breaker, _ = breaker_and_clock()
    fail(breaker, reason)
    assert is_open(breaker, model) is opened
