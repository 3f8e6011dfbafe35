"""What is asked of the database, and what the answers mean: so that what several modules ask takes one round trip."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from engine.state.driver import Row
from engine.state.statements import Call

T_co = TypeVar("T_co", covariant=True)
U = TypeVar("U")
Answers: TypeAlias = Sequence[list[Row]]


@dataclass(frozen=True, slots=True)
class Inquiry(Generic[T_co]):
    """Statements, and `read`, which makes of the rows of each what was asked for."""

    calls: tuple[Call, ...]
    read: Callable[[Answers], T_co]

    def then(self, use: Callable[[T_co], U]) -> Inquiry[U]:
        """The same, of whose answer something else is made."""
        return Inquiry(self.calls, lambda rows: use(self.read(rows)))

    def along(self, other: Inquiry[U]) -> Inquiry[tuple[T_co, U]]:
        """Both, this one's statements first."""
        own = len(self.calls)
        return Inquiry(self.calls + other.calls, lambda rows: (self.read(rows[:own]), other.read(rows[own:])))
