"""What a run leaves behind: a manifest, one record per analysed turn, and estimates with their n."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, ConfigDict, Field

from engine.model.analysis import Analysis
from engine.model.conversation import Identifier
from engine.model.state import ConversationState
from engine.model.value import Value


class StateMode(StrEnum):
    """Which state each turn is analysed in."""

    CARRIED = "carried"  # the run's own state, carried from turn to turn
    GOLD = "gold"  # teacher-forced: every turn starts from the state that the labels say
    FORK = "fork"  # carried on from one turn of an earlier run
    TURNS = "turns"  # single turns, each in the state that an earlier run had there; nothing is carried


class Fork(Value):
    """The turn of an earlier run whose `before` state a fork starts from."""

    run_id: str
    conversation_id: Identifier
    turn: int = Field(ge=0)


PickedBy = Literal["worst", "must not break", "chance"]


class PickedTurns(Value):
    """Single turns (conversation, turn) of an earlier run, to be answered again in their `before` states.

    `by` says how they were picked: None where somebody named them.
    """

    run_id: str
    turns: tuple[tuple[Identifier, int], ...]
    by: PickedBy | None = Field(default=None, exclude_if=lambda found: found is None)


class Variant(Value):
    """What answers: analyzer, prompt set, models and parameters.

    `prompts` maps prompt name to content hash; it is empty for rules. `examples` are the labelled turns that those
    prompts show (`<data set>/<conversation>/<turn>`): their conversations cannot judge it.
    """

    name: str  # "rules", "recorded", "labels", "llm:<litellm model>"
    reasoning_model: str | None = None
    fast_model: str | None = None
    prompts: dict[str, str] = Field(default_factory=dict)
    examples: tuple[str, ...] = Field(default=(), exclude_if=lambda found: not found)


class Rescoring(Value):
    """An earlier run whose raw answers were guarded and folded again, without asking anybody.

    `variant` is the name of what answered there, `merge` that of a policy of `evals.merge_policies`, `guardrails` the
    rules in force.
    """

    run_id: str
    variant: str
    merge: str
    guardrails: tuple[str, ...]


class RunSpec(Value):
    """What a run is asked to do. Two equal specs are the same run; `RunManifest.run_id` is derived from it.

    `dataset_hash` is that of the conversations named here, so that adding others to the data set changes nothing.
    """

    dataset: str
    dataset_hash: str
    labels_hash: str | None = None  # only where the run depends on labels: gold state, or labels as the variant
    conversation_ids: tuple[Identifier, ...]
    variant: Variant
    state_mode: StateMode = StateMode.CARRIED
    fork: Fork | None = None
    samples: int = Field(default=1, ge=1)
    engine_hash: str  # content hash of the engine's source, so that changed code is a new run
    attempt: int = Field(default=0, ge=0)  # --again: the same spec, asked anew
    rescored: Rescoring | None = Field(default=None, exclude_if=lambda found: found is None)
    picked: PickedTurns | None = Field(default=None, exclude_if=lambda found: found is None)


class RunManifest(Value):
    """`manifest.json` of a run folder: the spec and where it was run. Written once.

    `conversation_hashes`, by id, say later which conversations have changed since; runs of older versions have none.
    """

    run_id: str
    spec: RunSpec
    conversation_hashes: dict[str, str] = Field(default_factory=dict)
    turns_expected: int
    created_at: AwareDatetime
    commit: str | None = None
    dirty: bool | None = None
    python: str
    packages: dict[str, str] = Field(default_factory=dict)


class RunStatus(StrEnum):
    RUNNING = "running"  # a process holds the run's lock
    INCOMPLETE = "incomplete"  # stopped or killed; the same command goes on
    COMPLETE = "complete"


class RunTotals(Value):
    """What a run amounts to. `finished.json` of a complete run holds them.

    `fallbacks` counts the turns with at least one conclusion from a fallback. `cost_usd` is None as soon as one
    call's price is not known. `size_bytes` is the length of `turns.jsonl`.
    """

    turns: int = 0
    failures: int = 0
    fallbacks: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float | None = 0.0
    size_bytes: int = 0
    finished_at: AwareDatetime | None = None


class Failure(Value):
    """A turn that could not be answered at all: a defect, not a model failure (those fall back and are labelled).

    `error` is the class name. `message` is the error's text if it is one of ours, else only where it happened: the
    text of a foreign error may hold a model's words or a key.
    """

    error: str
    message: str


class TurnRecord(Value):
    """One analysed customer turn. `after` equals `before` where the result is a failure."""

    model_config = ConfigDict(defer_build=True)  # listing runs needs none, and should start at once

    run_id: str
    conversation_id: Identifier
    turn: int
    sample: int = 0
    before: ConversationState
    result: Analysis | Failure = Field(union_mode="left_to_right")  # reading takes a third less time than guessing
    after: ConversationState

    @property
    def key(self) -> tuple[str, int, int]:
        """What makes it unique in its run: conversation, turn, sample."""
        return (self.conversation_id, self.turn, self.sample)


class Estimate(Value):
    """A figure with its interval and the number of observations. No data is None, never 0."""

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int
