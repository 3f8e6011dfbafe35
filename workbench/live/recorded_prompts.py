"""The prompts that recorded answers are looked up with: those in production, where there are answers to them.

Recordings hold answers to whole conversations, read with the same prompts from the first message to the last. So a
conversation goes on with the prompts that it began with, whatever is released meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from engine.errors import PromptError
from engine.folding import KeptTurn
from engine.prompts import ANALYSIS_PROMPTS, PromptLibrary, PromptSet
from engine.prompts.sets import SHORT
from evals.tuning.versions import PromptWorkspace

Hashes = Mapping[str, str]  # content hash by prompt name


def covers(covered: Iterable[Hashes], prompts: PromptSet) -> bool:
    """Whether there are answers to these prompts."""
    wanted = prompts.hashes(ANALYSIS_PROMPTS)
    return any(wanted.items() <= dict(own).items() for own in covered)


def answered_with(covered: Sequence[Hashes], turns: Iterable[KeptTurn]) -> Hashes | None:
    """The covered prompts of the recorded answers in a conversation; None if there are none in it."""
    for kept in turns:
        if kept.analysis is None:
            continue
        refs = {source.prompt for source in kept.analysis.sources.values() if source.kind == "recorded"} - {None}
        if refs:
            return next((own for own in covered if refs <= _refs(own)), None)
    return None


def recorded_prompts(
    covered: Sequence[Hashes], turns: Iterable[KeptTurn], released: PromptSet, workspace: PromptWorkspace
) -> PromptLibrary | None:
    """What the next recorded answer of a conversation is looked up with; None for the shipped prompts."""
    begun = answered_with(covered, turns)
    if begun is None:
        return released.library() if covers(covered, released) else None
    if begun.items() <= released.hashes().items():
        return released.library()
    try:
        return workspace.library(begun)
    except PromptError:  # released elsewhere, and not kept here
        return None


def _refs(prompts: Hashes) -> set[str | None]:
    return {f"{name}@{digest[:SHORT]}" for name, digest in prompts.items()}
