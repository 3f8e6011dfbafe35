"""Which runs a promotion rests on: of the candidate and of what is in production, alike in all but the prompts."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.prompts import ANALYSIS_PROMPTS, PromptSet
from evals.library import Dataset
from evals.records import RunManifest, RunStatus, StateMode, Variant
from evals.runs.folder import RunFolder, run_folders
from evals.runs.manifest import engine_hash


@dataclass(frozen=True, slots=True)
class NamedSet:
    """A prompt set, and how `--prompts` names it."""

    prompts: PromptSet
    name: str

    def reads_like(self, other: NamedSet) -> bool:
        """Whether both read messages with the same prompts; they may still differ in what drafts are written with."""
        return self.prompts.hashes(ANALYSIS_PROMPTS) == other.prompts.hashes(ANALYSIS_PROMPTS)


@dataclass(frozen=True, slots=True)
class MissingRun:
    """A finished run that there is none of, and the command that makes it."""

    dataset: str
    prompts: str
    command: str


@dataclass(frozen=True, slots=True)
class FoundRuns:
    """The two runs over one data set, None where there is none, and of how many that would do each is the first."""

    dataset: Dataset
    production: RunFolder | None
    candidate: RunFolder | None
    production_runs: int = 0
    candidate_runs: int = 0


def find_runs(
    runs: Path,
    datasets: Iterable[Dataset],
    production: NamedSet,
    candidate: NamedSet,
    models: Variant,
    *,
    engine: str | None = None,
) -> tuple[FoundRuns, ...]:
    """For each data set the first finished run of both sets over all of it as it is now.

    The first, since whoever could replay until a run pleases would be sure to pass; how many there are is told.
    Both by the engine with the content hash `engine` (None: as it is now). `models` names who is asked; a run of
    recorded answers of the same models is as good, since the answers are theirs.
    """
    manifests = [(path, RunFolder.open(path).manifest) for path in run_folders(runs)]
    oldest = sorted(manifests, key=lambda own: own[1].created_at)
    engine = engine or engine_hash()

    def finished(dataset: Dataset, own: NamedSet) -> list[RunFolder]:
        hashes = own.prompts.hashes(ANALYSIS_PROMPTS)
        about = (each for each in oldest if _is_about(each[1], dataset, hashes, models, engine))
        folders = (RunFolder(path, manifest) for path, manifest in about)
        return [folder for folder in folders if folder.status is RunStatus.COMPLETE]

    def found(dataset: Dataset) -> FoundRuns:
        now, then = finished(dataset, production), finished(dataset, candidate)
        first, second = (next(iter(own), None) for own in (now, then))
        return FoundRuns(dataset, first, second, len(now), len(then))

    return tuple(map(found, datasets))


def missing_runs(
    found: Sequence[FoundRuns], production: NamedSet, candidate: NamedSet, variant: str
) -> tuple[MissingRun, ...]:
    """What is missing of them, in the order in which it is best made."""
    return tuple(
        MissingRun(own.dataset.name, named.name, command(own.dataset.name, variant, named.name))
        for own in found
        for run, named in ((own.production, production), (own.candidate, candidate))
        if run is None
    )


def command(dataset: str, variant: str, prompts: str) -> str:
    """What makes a run, to copy."""
    return shlex.join(["qbs", "replay", dataset, "--variant", variant, "--prompts", prompts])


def _is_about(manifest: RunManifest, dataset: Dataset, prompts: dict[str, str], models: Variant, engine: str) -> bool:
    spec = manifest.spec
    return (
        spec.dataset == dataset.name
        and spec.dataset_hash == dataset.content_hash
        and spec.state_mode is StateMode.CARRIED
        and spec.rescored is None
        and spec.engine_hash == engine
        and spec.variant.prompts == prompts
        and spec.variant.reasoning_model == models.reasoning_model
        and spec.variant.fast_model == models.fast_model
    )
