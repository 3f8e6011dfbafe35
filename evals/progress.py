"""How far a run has come: counted as its records reach the disk."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from evals.records import Failure, RunTotals, TurnRecord

# From less than either, the time that is left would be a guess.
ENOUGH_TURNS = 5
ENOUGH_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` turns are on disk.

    The rate is in turns a second since this session began, None until a turn is done. `seconds_left` follows from it,
    None until enough turns or seconds have passed to tell. `totals` counts the earlier sessions too; its cost is None
    once a price is not known.
    """

    done: int
    total: int
    turns_per_second: float | None
    seconds_left: float | None
    totals: RunTotals

    @property
    def cost_usd(self) -> float | None:
        return self.totals.cost_usd

    @property
    def fallbacks(self) -> int:
        return self.totals.fallbacks

    @property
    def failures(self) -> int:
        return self.totals.failures

    @property
    def complete(self) -> bool:
        return self.done >= self.total


class Tally:
    """Counts records as they are acknowledged. `clock` is in seconds and never goes back."""

    def __init__(self, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.totals = RunTotals()
        self._total = total
        self._clock = clock
        self._began = clock()
        self._earlier = 0

    def count_earlier(self, record: TurnRecord) -> None:
        """Count a record of an earlier session, which says nothing about today's rate."""
        self.totals = added(self.totals, record)
        self._earlier += 1

    def count(self, record: TurnRecord) -> None:
        self.totals = added(self.totals, record)

    def progress(self) -> Progress:
        done, now = self.totals.turns, self.totals.turns - self._earlier
        seconds = self._clock() - self._began
        rate = now / seconds if now and seconds > 0 else None
        telling = now >= ENOUGH_TURNS or seconds >= ENOUGH_SECONDS
        left = max(0, self._total - done) / rate if rate is not None and telling else None
        return Progress(done, self._total, rate, left, self.totals)


def added(totals: RunTotals, record: TurnRecord) -> RunTotals:
    """The totals with one more record."""
    if isinstance(record.result, Failure):
        return totals.model_copy(update={"turns": totals.turns + 1, "failures": totals.failures + 1})
    sources = record.result.sources.values()
    cost = record.result.cost_usd
    return totals.model_copy(
        update={
            "turns": totals.turns + 1,
            "fallbacks": totals.fallbacks + any(source.is_fallback for source in sources),
            "tokens_in": totals.tokens_in + sum(source.tokens_in for source in sources),
            "tokens_out": totals.tokens_out + sum(source.tokens_out for source in sources),
            "cost_usd": None if totals.cost_usd is None or cost is None else totals.cost_usd + cost,
        }
    )
