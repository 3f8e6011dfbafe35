"""What was counted in a run, record by record, as a sparse table that sums by any grouping."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evals.inference.resampling import Array
from evals.metrics.metric import Counted, Metric, Positions, Tally

Places = NDArray[np.int32]  # positions of records
Parts = NDArray[np.int16]


@dataclass(frozen=True, eq=False)
class Counts:
    """The counts of one tally, record by record, as a sparse table.

    `judged` are the positions (in `Scores.records`) of the records that could be judged. Entry i says that record
    `record[i]` has `amount[i]` of part number `part[i]`: 14 bytes an entry.
    """

    tally: Tally
    judged: Places
    record: Places
    part: Parts
    amount: Array

    def sums(self, group_of: Positions, groups: int, weight_of: Array | None = None) -> Array:
        """Totals by group, of shape (groups, parts). `group_of` maps a record's position to its group, -1 to none.

        `weight_of` is what a record's counts are multiplied by, one weight for each record.
        """
        group = group_of[self.record]
        kept = group >= 0
        amounts = self.amount if weight_of is None else self.amount * weight_of[self.record]
        width = len(self.tally.parts)
        cells = group[kept] * width + self.part[kept]
        # Without any entry, bincount counts in integers.
        return np.bincount(cells, amounts[kept], groups * width).astype(np.float64).reshape(groups, width)

    def with_data(self, metric: Metric) -> Positions:
        """The records in which any part was counted that the metric reads."""
        is_read = np.zeros(len(self.tally.parts), dtype=np.bool_)
        is_read[metric.reads] = True
        return np.flatnonzero(np.bincount(self.record[is_read[self.part]]))

    def only(self, kept: NDArray[np.bool_]) -> Counts:
        """The counts of the records that are kept, which are numbered anew."""
        number = (np.cumsum(kept) - 1).astype(np.int32)
        entries = kept[self.record]
        return Counts(
            tally=self.tally,
            judged=number[self.judged[kept[self.judged]]],
            record=number[self.record[entries]],
            part=self.part[entries],
            amount=self.amount[entries],
        )


class CountsTable:
    """The counts of one tally while they are being collected, as plain numbers: 14 bytes an entry."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._positions = tally.positions
        self._judged = array("i")
        self._record, self._part, self._amount = array("i"), array("h"), array("d")

    def add(self, record: int, counted: Counted) -> None:
        self._judged.append(record)
        for part, amount in counted.items():
            if amount:
                self._record.append(record)
                self._part.append(self._positions[part])
                self._amount.append(amount)

    def counts(self, place_of: Positions | None = None) -> Counts:
        """The table; `place_of` says which place each record has in the end, if not that under which it was added."""
        judged, record = (np.array(own, dtype=np.int32) for own in (self._judged, self._record))
        if place_of is not None:
            judged, record = (place_of[own].astype(np.int32) for own in (judged, record))
            judged = np.sort(judged)
        order = np.argsort(record, kind="stable")
        return Counts(
            tally=self._tally,
            judged=judged,
            record=record[order],
            part=np.array(self._part, dtype=np.int16)[order],
            amount=np.array(self._amount, dtype=np.float64)[order],
        )
