"""Which searches a prompt set comes from: on what a search has learned from, figures flatter what it found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from engine.prompts import PromptSet
from engine.prompts.sets import SHORT
from evals.gates import Outcome
from evals.tuning.decision import Finding
from evals.tuning.search_record import SearchRecord
from evals.tuning.version_values import PromptVersion


def searched_with(
    prompts: PromptSet, versions: Iterable[PromptVersion], searches: Sequence[SearchRecord]
) -> tuple[SearchRecord, ...]:
    """The searches that found a prompt of the set, or a version that one was made from. `versions` know parents."""
    parents = {own.ref: _short(own.parent) for own in versions if own.parent}
    ancestry: set[str] = set()
    for prompt in prompts.prompts.values():
        ref: str | None = prompt.ref
        while ref is not None and ref not in ancestry:
            ancestry.add(ref)
            ref = parents.get(ref)
    return tuple(own for own in searches if any(each.number and each.version in ancestry for each in own.candidates))


def searched_findings(searches: Iterable[SearchRecord], datasets: Iterable[str]) -> Iterator[Finding]:
    """What to know of figures over these data sets. It stops nothing: the conversations held out can still judge."""
    compared = set(datasets)
    for own in searches:
        if own.spec.dataset in compared:
            held_out = len(own.held_out_conversations)
            reason = (
                f"the search {own.search_id} found {own.spec.prompt}, and learned from conversations that are compared "
                f"here: these figures flatter it; what the {held_out} conversations say that it never saw is in the "
                "search"
            )
            yield Finding("data", "what it was searched with", Outcome.NOT_ENOUGH_DATA, reason, own.spec.dataset)


def _short(ref: str) -> str:
    name, _, digest = ref.partition("@")
    return f"{name}@{digest[:SHORT]}"
