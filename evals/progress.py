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

    def count(self, *records: TurnRecord) -> None:
        self.totals = added(self.totals, *records)

    def progress(self) -> Progress:
        done, now = self.totals.turns, self.totals.turns - self._earlier
        seconds = self._clock() - self._began
        rate = now / seconds if now and seconds > 0 else None
        telling = now >= ENOUGH_TURNS or seconds >= ENOUGH_SECONDS
        left = max(0, self._total - done) / rate if rate is not None and telling else None
        return Progress(done, self._total, rate, left, self.totals)


def added(totals: RunTotals, *records: TurnRecord) -> RunTotals:
    """The totals with these records more."""
    answers = [record.result for record in records if not isinstance(record.result, Failure)]
    sources = [tuple(answer.sources.values()) for answer in answers]
    costs = [answer.cost_usd for answer in answers]
    known = None if totals.cost_usd is None or None in costs else [totals.cost_usd, *(cost for cost in costs if cost)]
    return totals.model_copy(
        update={
            "turns": totals.turns + len(records),
            "failures": totals.failures + len(records) - len(answers),
            "fallbacks": totals.fallbacks + sum(any(source.is_fallback for source in three) for three in sources),
            "tokens_in": totals.tokens_in + sum(source.tokens_in for three in sources for source in three),
            "tokens_out": totals.tokens_out + sum(source.tokens_out for three in sources for source in three),
            "cost_usd": None if known is None else sum(known),
        }
    )
