"""What the fake model was asked, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from engine.llm.fake.faults import Fault


@dataclass(frozen=True, slots=True)
class FakeStats:
    """Chat requests since the start or the last reset.

    Each request counts once, on arrival: as `answered`, as `missed` (no answer to be had), as `rejected` (not a
    request this server understands), or under its fault in `faults`. `replies` counts all understood ones by the name
    of the structured reply they wanted ("text" for plain chat). `under_way` is now, `most_under_way` the peak.
    """

    requests: int = 0
    answered: int = 0
    missed: int = 0
    rejected: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    replies: dict[str, int] = field(default_factory=dict)
    under_way: int = 0
    most_under_way: int = 0


class Tally:
    """The running count behind `FakeStats`."""

    def __init__(self) -> None:
        self._under_way = 0
        self.reset()

    def reset(self) -> None:
        """Forget what was counted; requests under way stay so."""
        self._ends: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
        self._replies: Counter[str] = Counter()
        self._requests = 0
        self._most_under_way = self._under_way

    @contextmanager
    def request(self) -> Iterator[int]:
        """One request from arrival to end; gives its number, counting from 0."""
        number = self._requests
        self._requests += 1
        self._under_way += 1
        self._most_under_way = max(self._most_under_way, self._under_way)
        try:
            yield number
        finally:
            self._under_way -= 1

    def understood(self, reply_name: str | None) -> None:
        self._replies[reply_name or "text"] += 1

    def failed(self, fault: Fault) -> None:
        self._faults[fault.value] += 1

    def ended(self, how: str) -> None:
        """`how` is "answered", "missed" or "rejected"."""
        self._ends[how] += 1

    def snapshot(self) -> FakeStats:
        return FakeStats(
            requests=self._requests,
            answered=self._ends["answered"],
            missed=self._ends["missed"],
            rejected=self._ends["rejected"],
            faults=dict(self._faults),
            replies=dict(self._replies),
            under_way=self._under_way,
            most_under_way=self._most_under_way,
        )
