"""A recorded exchange: header and turns."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from engine.model.value import Value

MAX_TURN_CHARACTERS = 20_000
MAX_TURNS = 2_000

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=120, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
ShortText = Annotated[str, StringConstraints(max_length=300, strip_whitespace=True)]


class Speaker(StrEnum):
    """Who speaks. `other` is anybody who is neither the seller nor the contact: a colleague who joins, a bot."""

    SELLER = "seller"
    CUSTOMER = "customer"
    OTHER = "other"


class Channel(StrEnum):
    EMAIL = "email"
    CHAT = "chat"
    CALL = "call"


class Persona(StrEnum):
    """The contact's level: individual contributor, manager, or executive."""

    IC = "ic"
    MANAGER = "manager"
    C_SUITE = "c_suite"


class DealStage(StrEnum):
    PROSPECTING = "prospecting"
    DISCOVERY = "discovery"
    QUALIFICATION = "qualification"
    EVALUATION = "evaluation"
    NEGOTIATION = "negotiation"
    CLOSED_WON = "closed_won"
    CLOSED_LOST = "closed_lost"
    STALLED = "stalled"


class Turn(Value):
    """One message. `index` counts from 0 over the whole conversation, whoever speaks."""

    index: int = Field(ge=0)
    speaker: Speaker
    name: ShortText | None = None
    text: str = Field(max_length=MAX_TURN_CHARACTERS)
    time: AwareDatetime | None = None
    channel: Channel | None = None  # only where it differs from the conversation's


class Contact(Value):
    """The person at the customer whom the seller talks to."""

    name: ShortText
    title: ShortText | None = None
    email: ShortText | None = None


class StageChange(Value):
    """What the seller recorded: from after this turn on, the deal was in stage `to`."""

    after_turn: int = Field(ge=-1)
    to: DealStage


class Conversation(Value):
    """A recorded exchange between a seller and one contact of an account.

    `offering` is what the seller sells, `known_contacts` whom the seller knew there before the first turn.
    """

    id: Identifier
    title: ShortText
    account: ShortText
    industry: ShortText | None = None
    offering: ShortText | None = None
    contact: Contact
    persona: Persona
    channel: Channel
    opening_stage: DealStage = DealStage.PROSPECTING
    known_contacts: tuple[ShortText, ...] = ()
    turns: tuple[Turn, ...] = Field(min_length=1, max_length=MAX_TURNS)
    stage_changes: tuple[StageChange, ...] = ()

    @model_validator(mode="after")
    def _turns_are_counted_from_zero(self) -> Self:
        for position, turn in enumerate(self.turns):
            if turn.index != position:
                raise ValueError(f"turn {position} has index {turn.index}; turns count from 0 without gaps")
        for change in self.stage_changes:
            if change.after_turn >= len(self.turns):
                raise ValueError(
                    f"stage change after turn {change.after_turn}, but the last turn is {len(self.turns) - 1}"
                )
        return self

    @property
    def customer_turns(self) -> tuple[Turn, ...]:
        return tuple(turn for turn in self.turns if turn.speaker is Speaker.CUSTOMER)

    def before(self, index: int) -> tuple[Turn, ...]:
        """The turns that came before turn `index`."""
        return self.turns[:index]

    def channel_of(self, turn: Turn) -> Channel:
        return turn.channel or self.channel
