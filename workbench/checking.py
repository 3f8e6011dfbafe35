"""A data set or file looked over: what is wrong with it, and how far its labellers agreed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from evals.agreement import Agreement, agreement
from evals.dataset_manifest import CONVERSATIONS
from evals.jsonl import Problem
from evals.labels import read_labels
from evals.library import check_dataset, read_conversations

# Where a data set keeps the labels of two people who did not see each other's, before they were settled.
LABELLINGS = (Path("labelling") / "first.jsonl", Path("labelling") / "second.jsonl")


@dataclass(frozen=True, slots=True)
class Checked:
    """`conversations` counts those that can be read; `agreement` is empty where it cannot be known."""

    name: str
    conversations: int
    problems: tuple[Problem, ...]
    agreement: tuple[Agreement, ...] = ()


def check_file(file: Path) -> Checked:
    """A file of conversations. Raises InputError if it cannot be read at all."""
    lines, problems = read_conversations(file)
    return Checked(str(file), len(lines), problems)


def check_folder(folder: Path) -> Checked:
    """A data set with its labels and manifest, and the two labellings before they were settled.

    Raises InputError if there is no data set in `folder`.
    """
    problems = tuple(check_dataset(folder))
    found, more = _agreement(folder)
    readable, _ = read_conversations(folder / CONVERSATIONS)
    return Checked(folder.resolve().name, len(readable), (*problems, *more), found)


def _agreement(folder: Path) -> tuple[tuple[Agreement, ...], tuple[Problem, ...]]:
    files = [folder / name for name in LABELLINGS]
    if not all(file.is_file() for file in files):
        return (), ()
    (first, some), (second, others) = (read_labels(file) for file in files)
    if some or others:
        return (), (*some, *others)
    return agreement([line.label for line in first], [line.label for line in second]), ()
