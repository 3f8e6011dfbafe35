"""A part of the turns: by who is talked to, how, at which stage, and in which mood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from engine.model.conversation import Channel, Conversation, DealStage, Persona
from engine.model.qbs import EngagementSignal
from evals.dataset_manifest import Split
from evals.library import Dataset
from evals.scoring import TurnKey

_OF_TURNS = frozenset({"stages", "engagements"})  # the other traits are those of a conversation


@dataclass(frozen=True, slots=True)
class Slice:
    """Which turns are wanted; of each thing several are alternatives, and none means that it does not matter.

    The stage is the one that the seller had recorded when the message came, the engagement the one of its label.
    """

    personas: tuple[Persona, ...] = ()
    channels: tuple[Channel, ...] = ()
    splits: tuple[Split, ...] = ()
    stages: tuple[DealStage, ...] = ()
    engagements: tuple[EngagementSignal, ...] = ()
    conversations: tuple[str, ...] = ()

    @property
    def filters(self) -> int:
        """How many things are asked for."""
        return sum(len(getattr(self, field.name)) for field in fields(self))

    def mask(self, traits: TurnTraits) -> NDArray[np.bool_]:
        """Which of the turns are in it; turns of unknown conversations never are."""
        kept = traits.known
        for field in fields(self):
            if wanted := getattr(self, field.name):
                kept = kept & traits.is_any_of(field.name, wanted)
        return kept


class TurnTraits:
    """What turns are told apart by, under the names of a slice's fields. Each is looked up once, when asked for first.

    `conversation_of` is the place of each turn's conversation among `conversations`, which `dataset` may not know.
    """

    def __init__(
        self,
        dataset: Dataset,
        turns: Sequence[TurnKey],
        conversations: Sequence[str],
        conversation_of: NDArray[np.int64],
    ) -> None:
        self._dataset = dataset
        self._turns = turns
        place = {item.id: number for number, item in enumerate(dataset.conversations)}
        places = np.array([place.get(id_, -1) for id_ in conversations], dtype=np.int64)
        self._conversation_of = places[conversation_of]  # in the data set; -1 if it is not there
        self._columns: dict[str, tuple[dict[str, int], NDArray[np.int32]]] = {}

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which turns are of conversations of the data set."""
        return self._conversation_of >= 0

    def look_up_all(self) -> TurnTraits:
        """The same with everything looked up, so that no filter has to wait for it."""
        for field in fields(Slice):
            self.is_any_of(field.name, ())
        return self

    def is_any_of(self, trait: str, values: Sequence[str]) -> NDArray[np.bool_]:
        """Which turns have one of these values."""
        if trait not in self._columns:
            self._columns[trait] = self._column(trait)
        numbers, column = self._columns[trait]
        return np.isin(column, [numbers[value] for value in values if value in numbers])

    def _column(self, trait: str) -> tuple[dict[str, int], NDArray[np.int32]]:
        """A number for each value, and the number of each turn's; -1 where a turn has none."""
        numbers: dict[str, int] = {}

        def number(value: str | None) -> int:
            return -1 if value is None else numbers.setdefault(value, len(numbers))

        if trait in _OF_TURNS:
            values = (number(self._of_turn(trait, *key)) for key in self._turns)
            return numbers, np.fromiter(values, np.int32, len(self._turns))
        of_conversation = [number(self._of_conversation(trait, item)) for item in self._dataset.conversations]
        return numbers, np.array([*of_conversation, -1], dtype=np.int32)[self._conversation_of]

    @cached_property
    def _conversations(self) -> Mapping[str, Conversation]:
        return {item.id: item for item in self._dataset.conversations}

    def _of_turn(self, trait: str, id_: str, turn: int) -> str | None:
        if trait == "stages":
            conversation = self._conversations.get(id_)
            return None if conversation is None else stage_at(conversation, turn)
        label = self._dataset.labels.get(id_, {}).get(turn)
        return None if label is None else label.engagement

    def _of_conversation(self, trait: str, conversation: Conversation) -> str:
        match trait:
            case "personas":
                return conversation.persona
            case "channels":
                return conversation.channel
            case "splits":
                return self._dataset.split[conversation.id]
            case _:
                return conversation.id


def stage_at(conversation: Conversation, turn: int) -> DealStage:
    """The stage that the seller had recorded when this turn was said."""
    earlier = [change.to for change in conversation.stage_changes if change.after_turn < turn]
    return earlier[-1] if earlier else conversation.opening_stage
