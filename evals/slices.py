"""A part of the turns: by who is talked to, how, at which stage, and in which mood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

from engine.model.conversation import Channel, Conversation, DealStage, Persona
from engine.model.qbs import EngagementSignal
from evals.dataset_manifest import Split
from evals.library import Dataset
from evals.scoring import RecordKey

Keeps = Callable[[RecordKey], bool]  # for `Scores.only`


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

    def of(self, dataset: Dataset) -> Keeps:
        """Whether a turn of this data set is in it; turns of unknown conversations never are."""
        fitting = {item.id: item for item in dataset.conversations if self._fits(item, dataset)}

        def keeps(key: RecordKey) -> bool:
            conversation_id, turn, _ = key
            conversation = fitting.get(conversation_id)
            if conversation is None:
                return False
            if self.stages and stage_at(conversation, turn) not in self.stages:
                return False
            label = dataset.labels.get(conversation_id, {}).get(turn) if self.engagements else None
            return not self.engagements or (label is not None and label.engagement in self.engagements)

        return keeps

    def _fits(self, conversation: Conversation, dataset: Dataset) -> bool:
        return (
            (not self.conversations or conversation.id in self.conversations)
            and (not self.personas or conversation.persona in self.personas)
            and (not self.channels or conversation.channel in self.channels)
            and (not self.splits or dataset.split[conversation.id] in self.splits)
        )


def stage_at(conversation: Conversation, turn: int) -> DealStage:
    """The stage that the seller had recorded when this turn was said."""
    earlier = [change.to for change in conversation.stage_changes if change.after_turn < turn]
    return earlier[-1] if earlier else conversation.opening_stage
