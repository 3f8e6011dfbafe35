"""What was counted in a run, record by record, as a sparse table that sums by any grouping."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from functools import cached_property

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
        width = len(self.tally.parts)
        amounts = self.amount if weight_of is None else self.amount * weight_of[self.record]
        group, part = group_of[self.record], self.part
        if (group_of < 0).any():
            kept = group >= 0
            group, part, amounts = group[kept], part[kept], amounts[kept]
        cells = group * width + part
        # Without any entry, bincount counts in integers.
        return np.bincount(cells, amounts, groups * width).astype(np.float64, copy=False).reshape(groups, width)

    def with_data(self, metric: Metric) -> Positions:
        """The records in which any part was counted that the metric reads."""
        return np.flatnonzero(self._present.any_of(metric.reads))

    @cached_property
    def _present(self) -> PresentParts:
        records = int(self.record[-1]) + 1 if len(self.record) else 0
        return PresentParts.of(self.record, self.part, records, len(self.tally.parts))

    def only(self, number_of: Places) -> Counts:
        """The counts of some records: `number_of` is each record's position among them, -1 if it is not one of them."""
        record, judged = number_of[self.record], number_of[self.judged]
        entries = np.flatnonzero(record >= 0)
        return Counts(
            tally=self.tally,
            judged=judged[judged >= 0],
            record=record[entries],
            part=self.part[entries],
            amount=self.amount[entries],
        )


@dataclass(frozen=True, eq=False)
class PresentParts:
    """Which parts are there in each of many rows, as bits: eight parts a byte. `bits` has the shape (rows, bytes)."""

    bits: NDArray[np.uint8]

    @classmethod
    def of(cls, row: NDArray[np.signedinteger], part: NDArray[np.signedinteger], rows: int, parts: int) -> PresentParts:
        """`row` and `part` of everything that is there, in any order."""
        width = -(-parts // 8)
        bits = np.zeros(rows * width, dtype=np.uint8)
        np.bitwise_or.at(bits, row.astype(np.int64) * width + part // 8, _bit(part))
        return cls(bits.reshape(rows, width))

    def any_of(self, parts: Positions) -> NDArray[np.bool_]:
        """The rows in which any of these parts is there."""
        wanted = np.zeros(self.bits.shape[1], dtype=np.uint8)
        np.bitwise_or.at(wanted, parts // 8, _bit(parts))
        found = np.zeros(len(self.bits), dtype=np.bool_)
        for place in np.flatnonzero(wanted):  # byte by byte: all at once is ten times as slow
            found |= (self.bits[:, place] & wanted[place]) != 0
        return found

    def of_rows(self, rows: Positions) -> PresentParts:
        """The same of some rows."""
        return PresentParts(self.bits.take(rows, axis=0))

    def in_groups(self, group_of: Positions, groups: int) -> PresentParts:
        """Which parts are there in any row of each group; `group_of` maps a row to its group, -1 to none."""
        kept = group_of >= 0
        own, bits = (group_of, self.bits) if kept.all() else (group_of[kept], self.bits[kept])
        if (np.diff(own) < 0).any():
            order = np.argsort(own, kind="stable")
            own, bits = own[order], bits[order]
        found = np.zeros((groups, self.bits.shape[1]), dtype=np.uint8)
        if len(own):
            begins = np.flatnonzero(np.diff(own, prepend=-1))
            found[own[begins]] = np.bitwise_or.reduceat(bits, begins, axis=0)
        return PresentParts(found)


def _bit(part: NDArray[np.signedinteger]) -> NDArray[np.uint8]:
    bit: NDArray[np.uint8] = np.left_shift(1, part % 8).astype(np.uint8)
    return bit


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
