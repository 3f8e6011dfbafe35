"""What the Prompts page reads beside the rest, each kept for as long as it cannot have changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from functools import cache
from pathlib import Path

import streamlit as st

from engine.errors import ConfigurationError, PromptError
from engine.prompts import PromptSet
from evals.records import RunStatus, StateMode, TurnRecord, Variant
from evals.runs.rows import RunRow
from evals.tuning.must_not_break import ProtectedTurn
from evals.tuning.search_record import SearchRecord
from evals.tuning.trials import Trial
from evals.tuning.version_values import PromptVersion, SetVersion
from evals.tuning.versions import PromptWorkspace
from workbench.background import background
from workbench.presenters.prompts_versions import prompts_of_run
from workbench.presenters.runs import default_sides
from workbench.variants import configured_models
from workbench.views import reading

Stamp = tuple[tuple[str, int, int], ...]


def workspace() -> PromptWorkspace:
    return reading.services().prompt_workspace()


def stamp() -> Stamp:
    """What differs once a version or a set is saved, by whatever process."""
    folder = workspace().folder
    return stamp_of([*folder.glob("*.jsonl"), *folder.glob("*/*.md")])


def stamp_of(files: Sequence[Path]) -> Stamp:
    return tuple((str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in sorted(files) if file.exists())


def versions(name: str | None = None) -> tuple[PromptVersion, ...]:
    """The newest first; of every prompt, if none is named. Raises PromptError for a file that was changed."""
    return _versions(name, stamp())


def sets() -> tuple[SetVersion, ...]:
    """The shipped set, and every one that was saved, oldest first."""
    return _sets(stamp())


def version_names() -> Mapping[tuple[str, str], str]:
    """`question v2`, by name and content hash."""
    return {(own.name, own.hash): f"{own.name} {own.version}" for own in versions()}


def set_named(name: str) -> PromptSet:
    """Raises InputError or PromptError, with the choices."""
    return _set_named(name, stamp())


def names_by_hash() -> dict[str, str]:
    """What people call the sets that there are, by hash; a set that is not saved is the version that makes it."""
    shipped = workspace().shipped
    own = {shipped.with_prompts(each.prompt).hash: f"{each.name} {each.version}" for each in versions()}
    return {**own, **{found.hash: found.name for found in sets()}}


def uses() -> Counter[tuple[str, str]]:
    """How many runs used a version, by name and content hash."""
    return Counter(pair for _, variant in _variants(reading.runs_stamp()) for pair in variant.prompts.items())


def runs_with(version: PromptVersion) -> tuple[str, ...]:
    """The runs that used a version, newest first."""
    found = _variants(reading.runs_stamp())
    return tuple(run_id for run_id, variant in found if variant.prompts.get(version.name) == version.hash)


def variant_of(run_id: str) -> Variant | None:
    return dict(_variants(reading.runs_stamp())).get(run_id)


def prompts_of(run_id: str) -> Mapping[str, str]:
    """The content hashes of the prompts that a run used, by name; none if it asked nobody."""
    variant = variant_of(run_id)
    return {} if variant is None else variant.prompts


def set_of_run(run_id: str) -> str:
    """The name of the set that a run was asked with; the shipped one if it asked nobody, or a version is gone."""
    variant = variant_of(run_id)
    if variant is None:
        return "shipped"
    name = prompts_of_run(variant.prompts, workspace().shipped.hashes())
    try:
        set_named(name)
    except PromptError:
        return "shipped"
    return name


def answering_runs(dataset: str) -> tuple[RunRow, ...]:
    """The runs over a data set whose turns a prompt can be tried on, newest first; those that asked a model first."""
    rows = [row for row in reading.runs() if row.dataset == dataset and row.turns]
    whole = [row for row in rows if row.state_mode not in (StateMode.TURNS, StateMode.FORK)]
    return tuple(sorted(whole or rows, key=lambda row: row.variant in ("rules", "labels")))


def default_run(rows: Sequence[RunRow]) -> str | None:
    """The newest complete one that a model answered; else what a newcomer would compare."""
    nothing = reading.unanswered(rows)
    asked = [
        row
        for row in rows
        if row.variant not in ("rules", "labels") and row.status is RunStatus.COMPLETE and row.run_id not in nothing
    ]
    return asked[0].run_id if asked else next(iter(default_sides(rows, nothing)), None)


def record(row: RunRow | None, conversation_id: str, turn: int) -> TurnRecord | None:
    """What a run kept of a turn; None if it has not come there. Raises RunError if its folder cannot be read."""
    found = reading.records(row, conversation_id) if row is not None else ()
    return next((own for own in found if own.turn == turn), None)


def run_row(run_id: str | None) -> RunRow | None:
    return next((row for row in reading.runs() if row.run_id == run_id), None)


def trial(run_id: str) -> Trial | None:
    """A trial as far as it is there. Raises InputError for a run that is none."""
    folder = reading.services().runs_folder / run_id
    return _trial(run_id, stamp_of([folder / "turns.jsonl", folder / "finished.json"]))


def models() -> tuple[str, str] | None:
    """The configured reasoning and fast model; None if there is none."""
    try:
        return configured_models(reading.services().settings)
    except ConfigurationError:
        return None


def prices(model: str) -> tuple[float | None, float | None] | None:
    """What a token read and a token written cost, in US dollars; None while it is still looked up, beside the page."""
    looked_up = _prices(model)
    return looked_up.result() if looked_up.done() else None


def protected() -> tuple[ProtectedTurn, ...]:
    """The turns that must not break. Raises RunDamagedError if the list was altered."""
    from evals.tuning.must_not_break import FILE

    return _protected(stamp_of([reading.services().settings.home / FILE]))


def searches() -> tuple[SearchRecord, ...]:
    """Every search that was kept, newest first. Raises RunError for one that cannot be read."""
    from workbench.searches import SEARCHES

    folder = reading.services().settings.home / SEARCHES
    return _searches(stamp_of(list(folder.glob("*.json"))))


@st.cache_resource(show_spinner=False, max_entries=20)
def _versions(name: str | None, stamp: Stamp) -> tuple[PromptVersion, ...]:
    return tuple(reversed(workspace().versions(name)))


@st.cache_resource(show_spinner=False, max_entries=4)
def _sets(stamp: Stamp) -> tuple[SetVersion, ...]:
    return workspace().sets()


@st.cache_resource(show_spinner=False, max_entries=50)
def _set_named(name: str, stamp: Stamp) -> PromptSet:
    return workspace().set_named(name)


@st.cache_resource(show_spinner=False, max_entries=4)
def _variants(stamp: reading.Stamp) -> tuple[tuple[str, Variant], ...]:
    from evals.runs.folder import RunFolder, run_folders

    found = [RunFolder.open(path).manifest for path in run_folders(reading.services().runs_folder)]
    newest = sorted(found, key=lambda manifest: manifest.created_at, reverse=True)
    return tuple((manifest.run_id, manifest.spec.variant) for manifest in newest)


@st.cache_resource(show_spinner=False, max_entries=20)
def _trial(run_id: str, stamp: Stamp) -> Trial | None:
    from workbench.tuning import trial as read

    return read(reading.services(), run_id)


@st.cache_resource(show_spinner=False, max_entries=4)
def _protected(stamp: Stamp) -> tuple[ProtectedTurn, ...]:
    from workbench.promoting import must_not_break

    return must_not_break(reading.services()).turns()


@st.cache_resource(show_spinner=False, max_entries=4)
def _searches(stamp: Stamp) -> tuple[SearchRecord, ...]:
    from evals.tuning.search_record import searches as kept
    from workbench.searches import SEARCHES

    return kept(reading.services().settings.home / SEARCHES)


@cache
def _prices(model: str) -> Future[tuple[float | None, float | None]]:
    """Looked up once for the process, on another thread: the first time takes seconds."""
    import asyncio

    return background().start(asyncio.to_thread(_look_up, model))


def _look_up(model: str) -> tuple[float | None, float | None]:
    from engine.llm.client import estimated_cost_usd

    many = 1_000_000
    read, written = estimated_cost_usd(model, many, 0), estimated_cost_usd(model, 0, many)
    return (None if read is None else read / many, None if written is None else written / many)


def check_label(label: str) -> None:
    """Raises PromptError for what cannot be a label, before anything is saved under it."""
    from evals.tuning.version_values import check_label as checked

    checked(label, "", sets())
