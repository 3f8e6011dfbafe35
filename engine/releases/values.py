"""A release: a prompt set that was moved to a stage, by whom, why, and with which evidence."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, Field

from engine.model.value import Value
from engine.prompts.sets import SHORT, PromptSet

# Stands in the place of a set's hash where a tenant gave up prompts of its own.
AS_EVERYBODY = "as everybody"


class Stage(StrEnum):
    """How far a prompt set has come. Every set begins as a draft, also where no row says so."""

    DRAFT = "draft"
    CANDIDATE = "candidate"
    PRODUCTION = "production"


class NewRelease(Value):
    """What is to be released. `prompts` are the files by name, `prompt_set` the hash of the set that they make.

    `evidence` is what the verdict rests on, as JSON; `evidence["passed"]` says whether the gate let it pass. What it
    did not let pass is only in production because somebody said why: `overridden_because`.
    """

    prompt_set: str
    stage: Stage
    prompts: Mapping[str, str]
    released_by: str
    note: str = ""
    verdict: str | None = None
    evidence: Mapping[str, Any] = Field(default_factory=dict)
    overridden_because: str | None = None

    @classmethod
    def of(cls, prompts: PromptSet, stage: Stage, **fields: Any) -> NewRelease:
        """The release of a set, with its files."""
        return cls(prompt_set=prompts.hash, stage=stage, prompts=prompts.contents(), **fields)

    @property
    def is_backed(self) -> bool:
        """Whether it may be in production: the gate let it pass, or somebody said why it is there nevertheless."""
        return self.evidence.get("passed") is True or bool((self.overridden_because or "").strip())


class Release(Value):
    """A release as it is kept, without its files. `number` counts the tenant's releases from 1.

    `returns_to` is the release that a rollback brought back: set, files, verdict, evidence and what was overridden are
    those of that one. `is_own` is false where it says that the tenant has no prompts of its own any more, and its
    conversations are read with everybody's.
    """

    number: int
    prompt_set: str
    stage: Stage
    released_at: AwareDatetime
    released_by: str
    note: str
    verdict: str | None = None
    evidence: dict[str, Any] = Field(default_factory=dict)
    overridden_because: str | None = None
    returns_to: int | None = None

    @property
    def is_own(self) -> bool:
        return self.prompt_set != AS_EVERYBODY

    @property
    def is_overridden(self) -> bool:
        return self.overridden_because is not None

    @property
    def short(self) -> str:
        """How people name its set."""
        return self.prompt_set[:SHORT] if self.is_own else self.prompt_set
