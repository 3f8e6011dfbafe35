"""The library of conversations: the only reader of data sets and their labels.

A data set is a folder with `conversations.jsonl`, one conversation a line, and where there are any
`labels.jsonl` (one line per customer turn), `ratings.jsonl` (what people say of recommended questions), `recordings/`
and `MANIFEST.json`. Without a manifest every conversation belongs to `dev`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import InputError, InvalidStageTransitionError
from engine.model.conversation import Conversation
from engine.stages import validate_transition
from evals.dataset_manifest import (
    CONVERSATIONS,
    LABELS,
    MANIFEST,
    ConversationEntry,
    Counts,
    DatasetManifest,
    Split,
    file_hashes,
    manifest_problems,
    read_manifest,
    save_manifest,
    sha256,
)
from evals.errors import unknown
from evals.jsonl import Problem
from evals.labels import LabelLine, TurnLabels, by_turn, label_problems, read_labels
from evals.origins import ORIGIN, Origin, read_origin
from evals.ratings import QuestionRating, read_ratings
from evals.shapes import read_shapes

MAX_PROBLEMS = 50


@dataclass(frozen=True, slots=True)
class RecordedLine:
    """A conversation as it stands in its file: `raw` is the line without its end, `sha256` the hash of that."""

    conversation: Conversation
    line: int
    raw: bytes

    @property
    def sha256(self) -> str:
        return sha256(self.raw)


@dataclass(frozen=True, slots=True)
class Dataset:
    """Conversations with their labels, as read. `hashes` is the SHA-256 of each conversation's line by id.

    `ratings` grow as people rate; no manifest answers for them, and no run depends on them.
    """

    name: str
    folder: Path
    conversations: tuple[Conversation, ...]
    labels: Mapping[str, TurnLabels]
    split: Mapping[str, Split]
    hashes: Mapping[str, str]
    title: str = ""
    ratings: tuple[QuestionRating, ...] = ()
    origin: Origin | None = None

    @property
    def content_hash(self) -> str:
        """Of all conversations; labels and split do not change what a run is about."""
        return self.hash_of(self.hashes)

    def hash_of(self, ids: Iterable[str]) -> str:
        """SHA-256 of these conversations, whatever their order and whatever else the data set holds."""
        return sha256("".join(f"{id_} {self.hashes[id_]}\n" for id_ in sorted(ids)).encode())

    def labels_hash(self, ids: Iterable[str]) -> str:
        """SHA-256 of the labels of these conversations, which a teacher-forced run depends on."""
        labels = (self.labels.get(id_, {}) for id_ in sorted(ids))
        return sha256("".join(own[turn].model_dump_json() for own in labels for turn in sorted(own)).encode())

    def conversation(self, conversation_id: str) -> Conversation:
        """Raises InputError, which names similar ids, if there is none of that id."""
        for conversation in self.conversations:
            if conversation.id == conversation_id:
                return conversation
        raise unknown(f"conversation of {self.name}", conversation_id, self.hashes)

    def part(self, split: Split) -> tuple[Conversation, ...]:
        return tuple(conversation for conversation in self.conversations if self.split[conversation.id] == split)


def load_dataset(folder: Path) -> Dataset:
    """The data set in `folder`. Raises InputError for the first thing that is wrong with it."""
    dataset, problems = _examined(folder)
    if problems:
        raise problems[0].error()
    return dataset


def check_dataset(folder: Path, limit: int = MAX_PROBLEMS) -> list[Problem]:
    """What is wrong with the data set in `folder`, by file and line; at most `limit` problems."""
    return list(_examined(folder)[1][:limit])


def dataset_folders(roots: Sequence[Path]) -> dict[str, Path]:
    """Every data set below `roots` by its folder's name; of two with one name, the one of the earlier root."""
    found: dict[str, Path] = {}
    for root in roots:
        for file in sorted(root.glob(f"*/{CONVERSATIONS}")):
            found.setdefault(file.parent.name, file.parent)
    return found


def find_dataset(name: str, roots: Sequence[Path]) -> Dataset:
    """The data set of that name below `roots`. Raises InputError, which names those that are there."""
    folders = dataset_folders(roots)
    if name not in folders:
        raise unknown("data set", name, folders)
    return load_dataset(folders[name])


def origin_of(folder: Path) -> Origin | None:
    """Where the conversations of the data set in `folder` come from; None if nobody says so that it can be read."""
    manifest = read_manifest(folder)
    return _origin(folder, None if isinstance(manifest, tuple) else manifest)[0]


def write_manifest(
    folder: Path,
    *,
    title: str,
    licence: str,
    split: Mapping[str, Split] | None = None,
    origin: Origin | None = None,
) -> DatasetManifest:
    """Write MANIFEST.json for what is in `folder` now. Ids that `split` leaves out belong to `dev`.

    Without `origin` it is what the data set said of itself so far. Raises InputError if conversations or labels have a
    problem, or `split` names a conversation that is not there.
    """
    lines, labels, problems = _read(folder)
    if problems:
        raise problems[0].error()
    split = split or {}
    if unknown := sorted(split.keys() - {line.conversation.id for line in lines}):
        raise InputError(f"the split names conversations that are not there: {', '.join(unknown)}", file=folder)
    entries = {
        line.conversation.id: ConversationEntry(sha256=line.sha256, split=split.get(line.conversation.id, "dev"))
        for line in lines
    }
    manifest = DatasetManifest(
        name=folder.resolve().name,
        title=title,
        licence=licence,
        origin=origin or read_origin(folder),
        counts=_counts(lines, labels),
        files=file_hashes(folder),
        conversations=entries,
    )
    save_manifest(folder, manifest)
    return manifest


def read_conversations(file: Path) -> tuple[tuple[RecordedLine, ...], tuple[Problem, ...]]:
    """The conversations of `file` in order, and what is wrong with its other lines; an id given twice is wrong."""
    lines: dict[str, RecordedLine] = {}
    problems: list[Problem] = []
    for found in read_shapes(Conversation, file):
        if isinstance(found, Problem):
            problems.append(found)
            continue
        conversation, line = found.value, found.line
        if (earlier := lines.get(conversation.id)) is not None:
            text = f"the id {conversation.id!r} is used twice, first on line {earlier.line}"
            problems.append(Problem(text, file, line.number))
        else:
            problems.extend(_stage_problems(conversation, file, line.number))
            lines[conversation.id] = RecordedLine(conversation, line.number, line.raw)
    return tuple(lines.values()), tuple(problems)


def _examined(folder: Path) -> tuple[Dataset, tuple[Problem, ...]]:
    """The data set as far as it can be read, and everything that is wrong with it."""
    lines, labels, problems = _read(folder)
    hashes = {line.conversation.id: line.sha256 for line in lines}
    ratings, misrated = read_ratings(folder, {line.conversation.id: line.conversation for line in lines})
    problems = (*problems, *misrated)
    manifest = read_manifest(folder)
    if isinstance(manifest, tuple):
        problems, manifest = (*problems, *manifest), None
    elif manifest is not None:
        problems = (
            *problems,
            *manifest_problems(folder, manifest, hashes),
            *_miscounted(folder, manifest, lines, labels),
        )
    entries = manifest.conversations if manifest else {}
    origin, misnamed = _origin(folder, manifest)
    dataset = Dataset(
        name=folder.resolve().name,
        folder=folder,
        conversations=tuple(line.conversation for line in lines),
        labels=by_turn(line.label for line in labels),
        split={id_: entries[id_].split if id_ in entries else "dev" for id_ in hashes},
        hashes=hashes,
        title=manifest.title if manifest else "",
        ratings=ratings,
        origin=origin,
    )
    return dataset, (*problems, *misnamed)


def _origin(folder: Path, manifest: DatasetManifest | None) -> tuple[Origin | None, tuple[Problem, ...]]:
    """What the manifest says, else the file beside the conversations."""
    try:
        return (manifest and manifest.origin) or read_origin(folder), ()
    except InputError as error:
        return None, (Problem(error.problem, folder / ORIGIN, error.line),)


def _read(folder: Path) -> tuple[tuple[RecordedLine, ...], tuple[LabelLine, ...], tuple[Problem, ...]]:
    """Conversations, labels, and what is wrong with them and between them."""
    lines, problems = read_conversations(folder / CONVERSATIONS)
    file = folder / LABELS
    if not file.exists():
        return lines, (), problems
    labels, more = read_labels(file)
    conversations = {line.conversation.id: line.conversation for line in lines}
    return lines, labels, (*problems, *more, *label_problems(labels, conversations, file))


def _stage_problems(conversation: Conversation, file: Path, line: int) -> Iterator[Problem]:
    """Recorded stage changes that the rules do not allow, or that are out of order."""
    stage, after = conversation.opening_stage, -1
    for position, change in enumerate(conversation.stage_changes):
        if change.after_turn < after:
            text = f"stage_changes[{position}] comes after one that is later; order them by after_turn"
            yield Problem(text, file, line, change.after_turn)
        try:
            validate_transition(stage, change.to)
        except InvalidStageTransitionError as error:
            yield Problem(f"stage_changes[{position}]: {error}", file, line, change.after_turn)
        stage, after = change.to, change.after_turn


def _counts(lines: Sequence[RecordedLine], labels: Sequence[LabelLine]) -> Counts:
    conversations = [line.conversation for line in lines]
    return Counts(
        conversations=len(conversations),
        turns=sum(len(conversation.turns) for conversation in conversations),
        customer_turns=sum(len(conversation.customer_turns) for conversation in conversations),
        labels=len(labels),
    )


def _miscounted(
    folder: Path, manifest: DatasetManifest, lines: Sequence[RecordedLine], labels: Sequence[LabelLine]
) -> Iterator[Problem]:
    if manifest.name != folder.resolve().name:
        yield Problem(f"the manifest is of {manifest.name!r}, not of this folder", folder / MANIFEST)
    if manifest.counts != _counts(lines, labels):
        yield Problem("the counts are not those of the files", folder / MANIFEST)
