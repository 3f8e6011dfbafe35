"""What follows from a run's spec alone: its id, and how many records it will have."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from engine.model.conversation import Conversation
from evals.records import RunSpec


def run_id_of(spec: RunSpec) -> str:
    """`<dataset>-<variant>-<mode>-<8 hex>`; the order in which conversations are named does not matter."""
    digest = hashlib.sha256(canonical(spec).model_dump_json().encode()).hexdigest()
    return f"{_slug(spec.dataset)}-{_slug(spec.variant.name)}-{spec.state_mode}-{digest[:8]}"


def canonical(spec: RunSpec) -> RunSpec:
    """The spec with its conversations and picked turns in order: equal for specs that ask for the same run."""
    update: dict[str, object] = {"conversation_ids": tuple(sorted(set(spec.conversation_ids)))}
    if spec.picked is not None:
        update["picked"] = spec.picked.model_copy(update={"turns": tuple(sorted(set(spec.picked.turns)))})
    return spec.model_copy(update=update)


def turns_expected(spec: RunSpec, conversations: Iterable[Conversation]) -> int:
    """How many records the run will have: the picked turns, or customer turns from the fork on, times samples."""
    if spec.picked is not None:
        return len(set(spec.picked.turns)) * spec.samples
    first = spec.fork.turn if spec.fork else 0
    turns = sum(turn.index >= first for conversation in conversations for turn in conversation.customer_turns)
    return turns * spec.samples


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:60] or "unnamed"
