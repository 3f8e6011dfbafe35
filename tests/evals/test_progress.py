"""Counting what a run amounts to, and how long it will take."""

from __future__ import annotations

import pytest

from evals.progress import Progress, Tally
from evals.records import TurnRecord
from evals.replay import replay
from tests.evals.values import FakeAnalyzer, conversation


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def records(analyzer: FakeAnalyzer) -> list[TurnRecord]:
    return [record async for record in replay(conversation(customer_turns=4), analyzer, run_id="r")]


async def progress_of(analyzer: FakeAnalyzer) -> Progress:
    tally = Tally(10)
    for record in await records(analyzer):
        tally.count(record)
    return tally.progress()


async def test_turns_tokens_and_money_add_up():
    progress = await progress_of(FakeAnalyzer())
    assert (progress.done, progress.total, progress.complete) == (4, 10, False)
    assert (progress.totals.tokens_in, progress.totals.tokens_out) == (4 * 3 * 10, 4 * 3 * 2)
    assert progress.cost_usd == pytest.approx(4 * 3 * 0.01)
    assert (progress.fallbacks, progress.failures) == (0, 0)


async def test_a_price_that_is_not_known_makes_the_cost_unknown():
    assert (await progress_of(FakeAnalyzer(cost_usd=None))).cost_usd is None


async def test_fallbacks_and_failures_are_counted_apart_by_turn():
    progress = await progress_of(FakeAnalyzer(falls_back=[1, 3], raises={5: RuntimeError()}))
    assert (progress.done, progress.fallbacks, progress.failures) == (4, 2, 1)


async def test_the_rate_is_that_of_this_session():
    done, clock = await records(FakeAnalyzer()), Clock()
    tally = Tally(10, clock)
    tally.count_earlier(done[0])
    tally.count_earlier(done[1])
    clock.now += 2
    before = tally.progress()
    assert (before.done, before.turns_per_second, before.seconds_left) == (2, None, None)
    tally.count(done[2])
    tally.count(done[3])
    clock.now += 2
    after = tally.progress()
    assert (after.done, after.turns_per_second, after.seconds_left) == (4, 0.5, 12.0)


@pytest.mark.parametrize(("turns", "seconds", "telling"), [(4, 2.9, False), (4, 3.0, True), (5, 0.1, True)])
async def test_the_time_left_is_only_told_from_enough_turns_or_seconds(turns, seconds, telling):
    done, clock = await records(FakeAnalyzer()), Clock()
    tally = Tally(100, clock)
    for record in (done * 2)[:turns]:
        tally.count(record)
    clock.now += seconds
    assert (tally.progress().seconds_left is not None) is telling
