"""What a live conversation is about: whom it is with, what is kept of it, what is to be said next."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.folding import KeptTurn
from engine.model.conversation import DealStage, Turn
from engine.model.state import ConversationState
from workbench.live.steps import Steps
from workbench.presenters.live_stages import Moved
from workbench.presenters.live_tenants import Sight

if TYPE_CHECKING:
    from engine.model.outcome import StandingOutcome
    from engine.state.repository import SavedState


@dataclass(frozen=True, slots=True)
class LiveContact:
    """A contact of an account as one tenant knows them: the key of everything that is kept or cached here."""

    tenant: str
    account: str
    contact: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a contact, read in one transaction of their tenant. `saved` is None if nothing is.

    `ids` are those of the messages of `turns`, `moves` the newest first, `outcome` that of the newest recommendation.
    """

    sight: Sight
    saved: SavedState | None = None
    turns: tuple[KeptTurn, ...] = ()
    ids: tuple[str, ...] = ()
    moves: tuple[Moved, ...] = ()
    outcome: StandingOutcome | None = None

    def id_of(self, turn: int) -> str:
        """The id under which the message of this turn was delivered."""
        return next(id_ for item, id_ in zip(self.turns, self.ids, strict=True) if item.turn.index == turn)

    def turn_of(self, message_id: str) -> Turn:
        return self.turns[self.ids.index(message_id)].turn

    @property
    def state(self) -> ConversationState | None:
        return None if self.saved is None else self.saved.state


@dataclass(frozen=True, slots=True)
class Answers:
    """Who answers: a variant by name, and the folder of the recordings that it may answer from."""

    by: str
    recordings: Path | None = None


@dataclass(frozen=True, slots=True)
class Saying:
    """A message to be delivered. Delivered again under the same id it changes nothing.

    The index of `turn` does not count: the next one is given to it. Without a time it is said now. `opening` is the
    state before anything was said; `moves` are the stages that were recorded after the message; `carries` says that a
    seller's message carries the question that was recommended.
    """

    id: str
    turn: Turn
    opening: ConversationState
    answers: Answers
    moves: tuple[DealStage, ...] = ()
    carries: bool = False


@dataclass(frozen=True, slots=True)
class UnderWay:
    """Something that is being done for a contact. Its result says in words why it was not saved; empty if it was."""

    taking: Future[str]
    steps: Steps
    number: int  # of all such things in this process, from 1
