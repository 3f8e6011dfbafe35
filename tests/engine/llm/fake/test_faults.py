"""Which request gets which fault."""

from __future__ import annotations

import pytest

from engine.errors import ConfigurationError
from engine.llm.fake import FakeModel, FakeModelConfig, Fault
from engine.llm.fake.chat import ChatRequest, parse_chat
from engine.llm.fake.faults import FaultPlan, fault_named, fault_of_model, same_request
from tests.engine.llm.fake.calls import post, tool_call


def _chat(model: str = "m", text: str = "Hello", **more: object) -> ChatRequest:
    from pydantic_core import to_json

    return parse_chat(to_json(tool_call(model, text, **more)))


@pytest.mark.parametrize(
    ("model", "fault"),
    [
        *((f"fake-{fault}", fault) for fault in Fault),
        ("openai/fake-429", Fault.RATE_LIMITED),
        ("fake-bad-json", Fault.BAD_JSON),
        ("fake-model", None),
        ("gpt-429", None),
        ("429", None),
    ],
)
def test_a_model_name_asks_for_its_fault(model: str, fault: Fault | None) -> None:
    assert fault_of_model(model) is fault


def test_an_unknown_fault_is_refused_with_the_choices() -> None:
    assert fault_named(" cut-body ") is Fault.CUT_BODY
    with pytest.raises(ConfigurationError, match="cut_body, html_200"):
        fault_named("earthquake")


@pytest.mark.parametrize("rates", [{Fault.NULL: -0.1}, {Fault.NULL: 1.1}, {Fault.NULL: 0.6, Fault.NAN: 0.6},
                                   {Fault.NULL: float("nan")}])  # fmt: skip
def test_rates_that_are_no_probabilities_are_refused(rates: dict[Fault, float]) -> None:
    with pytest.raises(ConfigurationError, match="add up to at most 1"):
        FakeModelConfig(faults=rates)


def test_the_script_comes_first_and_rates_follow() -> None:
    plan = FaultPlan({Fault.RESET: 1.0}, (Fault.NULL, None))
    assert [plan.fault_for(number, _chat()) for number in range(4)] == [Fault.NULL, None, Fault.RESET, Fault.RESET]


def test_the_model_name_wins_over_the_script() -> None:
    assert FaultPlan({}, (None,)).fault_for(0, _chat("fake-429")) is Fault.RATE_LIMITED


def test_rates_hold_and_depend_on_seed_and_number_alone() -> None:
    rates = {Fault.NULL: 0.2, Fault.RESET: 0.1}

    def drawn(seed: int, order: range) -> dict[int, Fault | None]:
        plan = FaultPlan(rates, seed=seed)
        return {number: plan.fault_for(number, _chat(text=f"Hello {number}")) for number in order}

    first = drawn(1, range(5000))
    assert first == drawn(1, range(4999, -1, -1))
    assert first != drawn(2, range(5000))
    seen = list(first.values())
    assert seen.count(Fault.NULL) / 5000 == pytest.approx(0.2, abs=0.02)
    assert seen.count(Fault.RESET) / 5000 == pytest.approx(0.1, abs=0.02)


def test_no_rates_mean_no_faults_and_a_rate_of_one_means_always() -> None:
    assert all(FaultPlan({}).fault_for(number, _chat()) is None for number in range(50))
    assert all(FaultPlan({Fault.NAN: 1.0}).fault_for(number, _chat()) is Fault.NAN for number in range(50))


def test_a_request_recovers_after_the_set_number_of_failures_and_each_for_itself() -> None:
    plan = FaultPlan({Fault.RESET: 1.0}, recover_after=2)
    assert [plan.fault_for(number, _chat(text="one")) for number in range(3)] == [Fault.RESET, Fault.RESET, None]
    assert plan.fault_for(3, _chat(text="another")) is Fault.RESET
    plan.forget()
    assert plan.fault_for(4, _chat(text="one")) is Fault.RESET


def test_a_re_ask_and_a_larger_limit_are_the_same_request() -> None:
    asked = _chat(max_tokens=100)
    messages = [*tool_call()["messages"], {"role": "assistant", "content": "{"}, {"role": "user", "content": "again"}]
    assert same_request(_chat(max_tokens=200)) == same_request(asked)
    assert same_request(_chat(messages=messages)) == same_request(asked)
    assert same_request(_chat(text="Other")) != same_request(asked)
    assert same_request(_chat("other")) != same_request(asked)


async def test_the_same_seed_fails_the_same_requests_over_http() -> None:
    config = FakeModelConfig(faults={Fault.SERVER_ERROR: 0.5}, seed=7)

    async def statuses() -> list[int]:
        async with FakeModel(config) as fake:
            return [(await post(fake, tool_call()))[0] for _ in range(30)]

    first = await statuses()
    assert first == await statuses()
    assert {200, 500} == set(first)


async def test_a_retry_succeeds_over_http_once_recovered() -> None:
    async with FakeModel(FakeModelConfig(recover_after=1)) as fake:
        statuses = [(await post(fake, tool_call("fake-503")))[0] for _ in range(3)]
        assert fake.stats.faults == {"503": 1}
    assert statuses == [503, 200, 200]
