"""Runs as people name them: by id, by a part of it that no other has, by variant, or as the latest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from evals.errors import RunError
from evals.records import RunSpec
from evals.runs.folder import RunFolder, run_folders
from workbench.text import the_one

LATEST = "latest"


def run_named(name: str, runs: Path) -> RunFolder:
    """The run below `runs` with this id, or the only one whose id has this part; else the newest of this variant.

    By their variant only runs that answered whole conversations are meant: none of single turns, no fork, and none that
    was folded again. Raises UnknownNameError, RunError for one that cannot be read.
    """
    paths = {path.name: path for path in run_folders(runs)}
    several = [path for path in paths.values() if name in path.name]
    if name == LATEST and (found := list(_readable(paths.values()))):
        return _newest(found)
    if len(several) > 1 and (found := [run for run in _readable(several) if _answers_all_by(run.manifest.spec, name)]):
        return _newest(found)
    hint = "`qbs runs list` shows them all" if paths else f"there are none yet in {runs.parent}, QBS_HOME"
    return RunFolder.open(paths[the_one("run", name, paths, hint=hint)])


def _readable(paths: Iterable[Path]) -> Iterator[RunFolder]:
    """A damaged run keeps nobody from the others; whoever names it is told."""
    for path in paths:
        try:
            yield RunFolder.open(path)
        except RunError:
            continue


def _newest(runs: Sequence[RunFolder]) -> RunFolder:
    return max(runs, key=lambda run: run.manifest.created_at)


def _answers_all_by(spec: RunSpec, variant: str) -> bool:
    return spec.variant.name == variant and spec.rescored is None and spec.fork is None and spec.picked is None
