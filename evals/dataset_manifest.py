"""MANIFEST.json of a data set: what belongs to it, with content hashes and the split, so that changes show."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field

from engine.model.conversation import Identifier
from engine.model.value import Value
from evals.files import write_atomically
from evals.jsonl import BOM, Problem, parse_object
from evals.origins import Origin
from evals.shapes import shaped

MANIFEST = "MANIFEST.json"
CONVERSATIONS = "conversations.jsonl"
LABELS = "labels.jsonl"
RECORDINGS = "recordings"

Split = Literal["dev", "test"]


class ConversationEntry(Value):
    """One conversation: the hash of its line, and which half it belongs to."""

    sha256: str
    split: Split = "dev"


class Counts(Value):
    conversations: int
    turns: int
    customer_turns: int
    labels: int


class DatasetManifest(Value):
    """`files` maps a path inside the data set to the SHA-256 of its bytes, `conversations` each id to its entry.

    `origin` says where the conversations come from; None where nobody says. No hash depends on it.
    """

    format: Literal[1] = 1
    name: Identifier
    title: str
    licence: str
    origin: Origin | None = Field(default=None, exclude_if=lambda found: found is None)
    counts: Counts
    files: dict[str, str]
    conversations: dict[Identifier, ConversationEntry]


def read_manifest(folder: Path) -> DatasetManifest | tuple[Problem, ...] | None:
    """The manifest of the data set in `folder`, what is wrong with it, or None if it has none."""
    file = folder / MANIFEST
    if not file.exists():
        return None
    try:
        fields = parse_object(file.read_bytes().removeprefix(BOM))
    except ValueError as error:
        return (Problem(str(error), file),)
    if isinstance(version := fields.get("format"), int) and version > 1:
        return (Problem(f"format {version} was made by a later version of this program, which reads format 1", file),)
    return shaped(DatasetManifest, fields, file)


def save_manifest(folder: Path, manifest: DatasetManifest) -> None:
    text = json.dumps(manifest.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"
    write_atomically(folder / MANIFEST, text.encode())


def file_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 by path of the files that a manifest answers for: conversations, labels and recordings."""
    files = [folder / CONVERSATIONS, folder / LABELS, *sorted((folder / RECORDINGS).rglob("*.jsonl"))]
    return {file.relative_to(folder).as_posix(): sha256(file.read_bytes()) for file in files if file.is_file()}


def manifest_problems(folder: Path, manifest: DatasetManifest, lines: Mapping[str, str]) -> Iterator[Problem]:
    """Where the files differ from what the manifest says. `lines` is the hash of each conversation's line by id."""
    file = folder / MANIFEST
    unless_meant = "; if the change is meant, write the manifest anew"
    for conversation_id in _sorted_union(manifest.conversations, lines):
        entry = manifest.conversations.get(conversation_id)
        if entry is None:
            yield Problem(f"conversation {conversation_id} is not in the manifest{unless_meant}", file)
        elif conversation_id not in lines:
            yield Problem(f"conversation {conversation_id} is missing from {CONVERSATIONS}", file)
        elif entry.sha256 != lines[conversation_id]:
            yield Problem(f"conversation {conversation_id} was changed{unless_meant}", file)
    found = file_hashes(folder)
    for name in _sorted_union(manifest.files, found):
        if name not in found:
            yield Problem(f"{name} is missing", file)
        elif name not in manifest.files:
            yield Problem(f"{name} is not in the manifest{unless_meant}", file)
        elif found[name] != manifest.files[name]:
            yield Problem(f"{name} is not what it was when the manifest was written{unless_meant}", file)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _sorted_union(first: Iterable[str], second: Iterable[str]) -> list[str]:
    return sorted({*first, *second})
