"""Waiting ends when it was said to end, whatever the work does about being stopped."""

from __future__ import annotations

import asyncio

import pytest

from engine.live.patience import Patience


class Stubborn:
    """Work that goes on after it was cancelled, until it is let go."""

    def __init__(self) -> None:
        self.started, self.let_go, self.ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work(self) -> str:
        self.started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await self.let_go.wait()
            self.ended.set()
            raise OSError("too late to be heard") from None
        return "never"


async def answer() -> str:
    return "there"


async def fail() -> str:
    raise LookupError("not there")


async def stop_itself() -> str:
    raise asyncio.CancelledError


async def test_what_is_there_in_time_is_returned() -> None:
    assert await Patience().within(60, answer()) == "there"


async def test_what_goes_wrong_in_time_is_raised() -> None:
    with pytest.raises(LookupError, match="not there"):
        await Patience().within(60, fail())


async def test_work_that_does_not_stop_is_not_waited_for_and_still_ends() -> None:
    stubborn = Stubborn()
    with pytest.raises(TimeoutError, match="no answer"):
        await Patience().within(0.01, stubborn.work())
    assert not stubborn.ended.is_set()
    stubborn.let_go.set()
    await stubborn.ended.wait()


async def test_whoever_is_cancelled_while_waiting_cancels_the_work_and_is_free_at_once() -> None:
    stubborn = Stubborn()
    waiting = asyncio.ensure_future(Patience().within(60, stubborn.work()))
    await stubborn.started.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    stubborn.let_go.set()
    await stubborn.ended.wait()


async def test_work_that_cancels_itself_does_not_cancel_who_waits_for_it() -> None:
    with pytest.raises(RuntimeError, match="stopped itself"):
        await Patience().within(60, stop_itself())
