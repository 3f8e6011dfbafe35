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
    """The spec with its conversations in order: equal for specs that ask for the same run."""
    return spec.model_copy(update={"conversation_ids": tuple(sorted(set(spec.conversation_ids)))})


def turns_expected(spec: RunSpec, conversations: Iterable[Conversation]) -> int:
    """How many records the run will have: customer turns, from the fork on, times samples."""
    first = spec.fork.turn if spec.fork else 0
    turns = sum(turn.index >= first for conversation in conversations for turn in conversation.customer_turns)
    return turns * spec.samples


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:60] or "unnamed"
