"""The turns that must never break again, in `QBS_HOME/must_not_break.jsonl`: additions and removals, in order."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, Field

from engine.errors import InputError, UnknownError
from engine.model.conversation import Identifier, Speaker
from engine.model.value import Value
from evals.library import Dataset
from evals.locks import locked
from evals.shapes import unwelcome_character
from evals.tuning.history import append_values, read_values

FILE = "must_not_break.jsonl"
MAX_WHY = 500


class ProtectedTurn(Value):
    """A customer's turn of a data set, who put it on the list, when, and why."""

    dataset: str
    conversation_id: Identifier
    turn: int = Field(ge=0)
    by: str = Field(min_length=1)
    at: AwareDatetime
    why: str = Field(default="", max_length=MAX_WHY)

    @property
    def key(self) -> tuple[str, str, int]:
        return self.dataset, self.conversation_id, self.turn

    @property
    def title(self) -> str:
        return f"{self.dataset}, {self.conversation_id}, turn {self.turn}"


class _Line(Value):
    action: Literal["add", "remove"]
    turn: ProtectedTurn


@dataclass(frozen=True, slots=True)
class MustNotBreak:
    """The list in `file`, which several processes may change at once. Raises RunDamagedError if a line was altered."""

    file: Path

    def turns(self) -> tuple[ProtectedTurn, ...]:
        """The turns on the list, in the order in which they came."""
        found: dict[tuple[str, str, int], ProtectedTurn] = {}
        for line in read_values(self.file, _Line):
            if line.action == "add":
                found.setdefault(line.turn.key, line.turn)
            else:
                found.pop(line.turn.key, None)
        return tuple(found.values())

    def add(self, dataset: Dataset, conversation_id: str, turn: int, *, by: str, why: str = "") -> ProtectedTurn:
        """Put a turn on the list; one that is there already stays as it is.

        Raises InputError if the data set has no such customer's turn, or for a text that cannot be kept.
        """
        conversation = dataset.conversation(conversation_id)
        customers = [own.index for own in conversation.turns if own.speaker is Speaker.CUSTOMER]
        if turn not in customers:
            said = ", ".join(map(str, customers))
            raise InputError(
                f"turn {turn} of {conversation_id} is not a customer's, and only those are analysed: {said}"
            )
        new = _protected(dataset.name, conversation_id, turn, by, why)
        with self._locked():
            present = [own for own in self.turns() if own.key == new.key]
            if not present:
                append_values(self.file, [_Line(action="add", turn=new)])
        return present[0] if present else new

    def remove(self, dataset: str, conversation_id: str, turn: int, *, by: str, why: str = "") -> None:
        """Take a turn off the list; that it was on it stays in the file.

        Raises UnknownError if it is not on it, InputError for a text that cannot be kept.
        """
        with self._locked():
            if (dataset, conversation_id, turn) not in {own.key for own in self.turns()}:
                raise UnknownError(
                    f"turn {turn} of {conversation_id!r} in {dataset!r} is not on the list of turns that must not "
                    "break; `qbs releases protected` shows it"
                )
            gone = _protected(dataset, conversation_id, turn, by, why)
            append_values(self.file, [_Line(action="remove", turn=gone)])

    def _locked(self) -> AbstractContextManager[None]:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        return locked(self.file.with_suffix(".lock"), what="the list of turns that must not break")


def of_dataset(turns: Sequence[ProtectedTurn], dataset: str) -> tuple[ProtectedTurn, ...]:
    """Those of one data set."""
    return tuple(own for own in turns if own.dataset == dataset)


def _protected(dataset: str, conversation_id: str, turn: int, by: str, why: str) -> ProtectedTurn:
    for what, text in (("name", by), ("reason", why)):
        if character := unwelcome_character(text):
            raise InputError(f"the {what} holds {character}; remove it")
    if not by.strip():
        raise InputError("say who puts the turn on the list, or takes it off")
    if len(why) > MAX_WHY:
        raise InputError(f"the reason has {len(why):,} characters; at most {MAX_WHY} are kept")
    return ProtectedTurn(
        dataset=dataset,
        conversation_id=conversation_id,
        turn=turn,
        by=by.strip(),
        at=datetime.now(UTC),
        why=why.strip(),
    )
