"""What is kept of a search: one file each below QBS_HOME/searches, for the picture of its candidates.

The candidates themselves are prompt versions of the workspace; here is what each was worth, and what won.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import AwareDatetime, ValidationError

from engine.model.value import Value
from evals.errors import RunError
from evals.files import write_atomically
from evals.tuning.candidates import SearchEnd


class SearchSpec(Value):
    """What a search was asked for. Two equal ones are the same search: repeated, it goes on where it ended."""

    prompt: str
    prompts: str  # the hash of the set that it began with
    dataset: str
    dataset_hash: str
    metrics: tuple[str, ...]
    sections: tuple[str, ...]
    reasoning_model: str
    fast_model: str
    holdout: float
    seed: int
    turns: int
    patience: int

    @property
    def search_id(self) -> str:
        """`<prompt>-<8 hex>`."""
        return f"{self.prompt}-{hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:8]}"


class SearchedCandidate(Value):
    """One candidate. `version` is its `name@hash8` in the workspace; `scores` are None for one that was given up."""

    number: int
    version: str
    parent: int | None
    scores: dict[str, float] | None
    note: str
    on_front: bool


class HeldOutRuns(Value):
    """The runs over the conversations that the search never saw: of what it began with, and of its winner."""

    first: str
    second: str
    complete: bool


class SearchRecord(Value):
    """A search and its outcome. `winner` is the hash of the prompt set with the best candidate; None if none won.

    `calls`, `tokens` and `cost_usd` are what its last session took, without the test on what was held out.
    """

    search_id: str
    spec: SearchSpec
    date: AwareDatetime
    ended: SearchEnd
    reason: str | None = None
    candidates: tuple[SearchedCandidate, ...]
    refused: tuple[str, ...] = ()
    held_out_conversations: tuple[str, ...]
    calls: int
    tokens: int
    cost_usd: float | None
    winner: str | None = None
    held_out: HeldOutRuns | None = None


def save_search(folder: Path, record: SearchRecord) -> Path:
    """Write what is known of a search; a repetition takes the place of what it goes on from."""
    file = folder / f"{record.search_id}.json"
    write_atomically(file, record.model_dump_json(indent=2).encode() + b"\n")
    return file


def searches(folder: Path) -> tuple[SearchRecord, ...]:
    """Every search that was kept, newest first. Raises RunError, which names the file, if one cannot be read."""
    return tuple(sorted(map(_read, sorted(folder.glob("*.json"))), key=lambda own: own.date, reverse=True))


def _read(file: Path) -> SearchRecord:
    try:
        return SearchRecord.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise RunError(f"{file} cannot be read ({error.error_count()} mistakes); remove it or bring it back") from None
