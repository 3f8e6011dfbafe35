"""Which conversations of a run are still what they were when it was made; only those can be judged."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from engine.errors import InputError
from engine.model.conversation import Conversation
from evals.library import Dataset
from evals.records import RunManifest

_NAMED = 5  # conversations named in a message


@dataclass(frozen=True)
class Matched:
    """The conversations of a run that are equal in the data set, in its order, and the ids of those that are not.

    `shown` are ids that are left out because the run's prompts show turns of theirs as examples.
    """

    conversations: tuple[Conversation, ...]
    changed: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(conversation.id for conversation in self.conversations)

    @property
    def customer_turns(self) -> dict[str, int]:
        """How many turns of each conversation are answered."""
        return {conversation.id: len(conversation.customer_turns) for conversation in self.conversations}


def conversation_hash(conversation: Conversation) -> str:
    """SHA-256 of what a conversation says, however its line is written."""
    return hashlib.sha256(conversation.model_dump_json(exclude_defaults=True).encode()).hexdigest()


def matched(manifest: RunManifest, dataset: Dataset) -> Matched:
    """The conversations of a run that the data set holds as they were, without those that its prompts show.

    Raises InputError if there is none, or if the data set changed and the run does not say in which conversations.
    """
    found = _as_they_were(manifest, dataset)
    shown = shown_conversations(manifest.spec.variant.examples, dataset.name).intersection(found.ids)
    if not shown:
        return found
    left = tuple(conversation for conversation in found.conversations if conversation.id not in shown)
    if not left:
        raise InputError(
            f"the prompts of the run {manifest.run_id} show every conversation of it as an example, so that none is "
            "left to judge it by; replay others"
        )
    return replace(found, conversations=left, shown=tuple(sorted(shown)))


def shown_conversations(examples: Iterable[str], dataset: str) -> frozenset[str]:
    """The ids of the conversations of a data set of which turns are among `examples`."""
    places = (example.split("/") for example in examples)
    return frozenset(id_ for name, id_, _ in places if name == dataset)


def _as_they_were(manifest: RunManifest, dataset: Dataset) -> Matched:
    ids = set(manifest.spec.conversation_ids)
    own = tuple(conversation for conversation in dataset.conversations if conversation.id in ids)
    if len(own) == len(ids) and dataset.hash_of(ids) == manifest.spec.dataset_hash:
        return Matched(own)
    if not manifest.conversation_hashes:
        raise InputError(
            f"{dataset.name} has changed since the run {manifest.run_id} was made, which does not say which "
            "conversations it answered; replay them again"
        )
    equal = tuple(own_ for own_ in own if manifest.conversation_hashes.get(own_.id) == conversation_hash(own_))
    if not equal:
        raise InputError(
            f"none of the conversations of the run {manifest.run_id} is in {dataset.name} as it was; replay them again"
        )
    return Matched(equal, tuple(sorted(ids - {conversation.id for conversation in equal})))


def named(ids: tuple[str, ...]) -> str:
    """The first ids, and how many more there are."""
    more = len(ids) - _NAMED
    return ", ".join(ids[:_NAMED]) + (f" and {more} more" if more > 0 else "")
