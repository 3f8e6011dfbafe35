"""Choosing a conversation: filters, and how each is named in a list."""

from __future__ import annotations

from dataclasses import dataclass

from engine.model.conversation import Channel, Conversation, Persona
from evals.dataset_manifest import Split
from evals.library import Dataset


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person wants to choose from; nothing chosen means everything."""

    channels: tuple[Channel, ...] = ()
    personas: tuple[Persona, ...] = ()
    splits: tuple[Split, ...] = ()

    @property
    def count(self) -> int:
        return len(self.channels) + len(self.personas) + len(self.splits)


def wanted_conversations(dataset: Dataset, wanted: Wanted) -> tuple[Conversation, ...]:
    """Those that fit every filter, by title."""
    fitting = (item for item in dataset.conversations if _fits(dataset, item, wanted))
    return tuple(sorted(fitting, key=lambda item: item.title.casefold()))


def _fits(dataset: Dataset, conversation: Conversation, wanted: Wanted) -> bool:
    return (
        (not wanted.channels or conversation.channel in wanted.channels)
        and (not wanted.personas or conversation.persona in wanted.personas)
        and (not wanted.splits or dataset.split[conversation.id] in wanted.splits)
    )


def message_of_turn(conversation: Conversation, turn: int) -> int:
    """The customer message (from 1) that `turn` is, or the last one before it; 1 if there is none before."""
    return max(1, sum(item.index <= turn for item in conversation.customer_turns))
