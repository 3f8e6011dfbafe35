"""What the pages read, each kept for as long as it cannot have changed.

What is kept is shared by all sessions and never copied: the values are frozen. A finished run never changes, so
its id is key enough; for a run that is not finished, how much there is of it belongs to the key.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from workbench.background import background
from workbench.live import LiveConversations
from workbench.presenters.runs import fell_back_throughout
from workbench.presenters.runs import unanswered as no_answers
from workbench.services import Services, build_services

if TYPE_CHECKING:
    from evals.library import Dataset
    from evals.records import TurnRecord
    from evals.runs.rows import RunRow, TurnRow

Stamp = tuple[tuple[str, int, int], ...]  # of files: path, bytes, nanoseconds


@st.cache_resource(show_spinner=False)
def services() -> Services:
    """Built once for the server: settings do not change while it runs. Raises ConfigurationError."""
    return build_services()


@cache
def live() -> LiveConversations:
    """The contacts that are talked to: one for the process, as its database and its loop are."""
    return LiveConversations(services(), background())


def dataset(name: str) -> Dataset:
    """Raises UnknownNameError, or InputError for the first thing that is wrong with its files."""
    return _dataset(name, dataset_stamp(name))


def dataset_stamp(name: str) -> Stamp:
    """What differs once the conversations or labels of a data set do."""
    return stamp_of_dataset(services(), name)


def stamp_of_dataset(services: Services, name: str) -> Stamp:
    """The same without asking for services, on whatever thread."""
    folder = services.dataset_folders().get(name)
    return _stamp(folder.glob("*.json*")) if folder else ()


def runs_stamp() -> Stamp:
    """What differs once a run is added, grows, ends or goes away. Cheap enough to be asked every few seconds."""
    folder = services().runs_folder
    return _stamp(file for name in ("turns.jsonl", "finished.json") for file in folder.glob(f"*/{name}"))


def runs() -> tuple[RunRow, ...]:
    """All runs, newest first. Raises LockedError if another process works on the index for long."""
    return _runs(runs_stamp())


def runs_of(dataset_name: str, conversation_id: str) -> tuple[RunRow, ...]:
    """The runs that hold this conversation, newest first."""
    of_dataset = (row for row in runs() if row.dataset == dataset_name)
    return tuple(row for row in of_dataset if conversation_id in _conversation_ids(row.run_id))


def records(row: RunRow, conversation_id: str) -> tuple[TurnRecord, ...]:
    """The records of one conversation, first sample. Raises RunError if the run's folder cannot be read."""
    return _records(row.run_id, conversation_id, row.turns)


def answered_conversations(row: RunRow) -> tuple[str, ...]:
    """The ids of the conversations of which the run has a turn."""
    return tuple(dict.fromkeys(turn.conversation_id for turn in _turns(row.run_id, row.turns)))


def unanswered(rows: Iterable[RunRow]) -> frozenset[str]:
    """The ids of those of the runs in which no model answered anything."""
    suspected = (row for row in rows if fell_back_throughout(row))
    return frozenset(row.run_id for row in suspected if no_answers(_turns(row.run_id, row.turns)))


@st.cache_resource(show_spinner=False, max_entries=50)
def _turns(run_id: str, turns: int) -> tuple[TurnRow, ...]:
    return services().run_index().turns(run_id)


@st.cache_resource(show_spinner=False, max_entries=20)
def _dataset(name: str, stamp: Stamp) -> Dataset:
    return services().dataset(name)


@st.cache_resource(show_spinner=False, max_entries=4)
def _runs(stamp: Stamp) -> tuple[RunRow, ...]:
    return services().run_index().runs_by_now()


@st.cache_resource(show_spinner=False, max_entries=2_000)
def _conversation_ids(run_id: str) -> frozenset[str]:
    from evals.runs.folder import RunFolder

    return frozenset(RunFolder.open(services().runs_folder / run_id).manifest.spec.conversation_ids)


@st.cache_resource(show_spinner=False, max_entries=200)
def _records(run_id: str, conversation_id: str, turns: int) -> tuple[TurnRecord, ...]:
    return services().run_index().turn_records(run_id, conversation_id)


def _stamp(files: Iterable[Path]) -> Stamp:
    stamp = []
    for file in sorted(files):
        with suppress(FileNotFoundError):  # removed since it was listed
            stat = file.stat()
            stamp.append((str(file), stat.st_size, stat.st_mtime_ns))
    return tuple(stamp)
