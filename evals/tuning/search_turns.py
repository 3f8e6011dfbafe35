"""What a search learns from, and what it never sees: labelled turns, split by conversation.

Each example is a customer turn in the state that the labels say (gold), so that no model is asked to get there.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from engine.errors import InputError
from engine.model.conversation import Conversation
from evals.gold import LabelAnalyzer
from evals.labels import TurnLabel, TurnLabels
from evals.library import Dataset
from evals.records import TurnRecord
from evals.replay import replay

LEAST_CONVERSATIONS = 2  # on either side of the split


@dataclass(frozen=True, slots=True)
class SearchTurn:
    """One labelled turn. `gold` is the record of what the labels say there: its `before` state, and all answers.

    `labels` are those of the whole conversation, by turn.
    """

    conversation: Conversation
    gold: TurnRecord
    labels: TurnLabels

    @property
    def label(self) -> TurnLabel:
        return self.labels[self.gold.turn]


@dataclass(frozen=True, slots=True)
class Holdout:
    """Conversations on either side, in order of their ids: those to search with, and those held out."""

    search: tuple[Conversation, ...]
    held_out: tuple[Conversation, ...]


def hold_out(dataset: Dataset, share: float, seed: int = 0, *, shown: Collection[str] = ()) -> Holdout:
    """The labelled conversations of the data set's `dev` part, of which a `share` is held out by chance.

    Conversations of the `test` part, and those `shown` in prompts as examples, take no part at all. Raises InputError
    if either side would be too small.
    """
    labelled = [
        own
        for own in sorted(dataset.part("dev"), key=lambda own: own.id)
        if own.id not in shown and all(turn.index in dataset.labels.get(own.id, {}) for turn in own.customer_turns)
    ]
    number = round(share * len(labelled))
    if min(number, len(labelled) - number) < LEAST_CONVERSATIONS:
        raise InputError(
            f"{dataset.name} has {len(labelled)} labelled conversations outside its test part, of which {number} would "
            f"be held out; a search needs at least {LEAST_CONVERSATIONS} on either side"
        )
    away = set(random.Random(seed).sample([own.id for own in labelled], number))  # noqa: S311  # a draw, no secret
    search = tuple(own for own in labelled if own.id not in away)
    return Holdout(search, tuple(own for own in labelled if own.id in away))


async def search_turns(
    conversations: Sequence[Conversation], dataset: Dataset, most: int | None = None, seed: int = 0
) -> tuple[SearchTurn, ...]:
    """The customer turns of these conversations; if there are more than `most`, so many of them by chance."""
    found = []
    for conversation in conversations:
        labels = dataset.labels[conversation.id]
        records = replay(conversation, LabelAnalyzer(conversation, labels), run_id="labels", labels=labels)
        found += [SearchTurn(conversation, record, labels) async for record in records]
    if most is not None and len(found) > most:
        kept = sorted(random.Random(seed).sample(range(len(found)), most))  # noqa: S311  # a draw, no secret
        found = [found[position] for position in kept]
    return tuple(found)
