"""Import of our own JSONL format: every conversation of a file, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import InputError
from evals.dataset_manifest import CONVERSATIONS, LABELS, MANIFEST
from evals.files import write_atomically
from evals.labels import label_problems, read_labels
from evals.library import RecordedLine, read_conversations
from evals.locks import locked
from evals.origins import Origin, origin_line, read_origin, save_origin


@dataclass(frozen=True, slots=True)
class Imported:
    """The ids that an import added, and those whose conversation it replaced."""

    added: tuple[str, ...]
    replaced: tuple[str, ...] = ()


def import_conversations(
    file: Path, into_folder: Path, *, replace: bool = False, origin: Origin | None = None
) -> Imported:
    """Add every conversation of `file` to the data set in `into_folder`, which is made if need be.

    `origin` is that of the whole data set: None leaves it as it is, and it never changes once it is said.
    Lines are taken over byte for byte, so that each conversation keeps its hash. Raises InputError, and changes
    nothing, if a line has a problem, an id is there already (unless `replace`), a replaced conversation would no
    longer fit its labels, the data set is of another origin, or it is sealed by a manifest.
    """
    incoming, problems = read_conversations(file)
    if problems:
        raise problems[0].error()
    if (into_folder / MANIFEST).exists():
        raise InputError(f"{into_folder.name} is sealed by its {MANIFEST}; import into another data set", file=file)
    into_folder.mkdir(parents=True, exist_ok=True)
    with locked(into_folder / ".lock", what=f"the data set {into_folder.name}"):
        _refuse_other_origin(origin, file, into_folder)
        imported = _merged(incoming, file, into_folder, replace=replace)
        if origin is not None:
            save_origin(into_folder, origin)
        return imported


def _merged(incoming: Sequence[RecordedLine], file: Path, into_folder: Path, *, replace: bool) -> Imported:
    target = into_folder / CONVERSATIONS
    present = _present(target)
    known = {line.conversation.id for line in present}
    if not replace:
        _refuse_known(incoming, known, file, into_folder.name)
    by_id = {line.conversation.id: line for line in (*present, *incoming)}
    _refuse_misfit_of_labels(by_id, into_folder)
    write_atomically(target, b"".join(line.raw + b"\n" for line in by_id.values()))
    ids = [line.conversation.id for line in incoming]
    return Imported(tuple(id_ for id_ in ids if id_ not in known), tuple(id_ for id_ in ids if id_ in known))


def _present(target: Path) -> tuple[RecordedLine, ...]:
    if not target.exists():
        return ()
    present, problems = read_conversations(target)
    if problems:
        raise problems[0].error()
    return present


def _refuse_other_origin(origin: Origin | None, file: Path, into_folder: Path) -> None:
    known = read_origin(into_folder)
    if known is not None and origin not in (None, known):
        text = f"the data set {into_folder.name} has {origin_line(known)}; import {origin} ones into another data set"
        raise InputError(text, file=file)


def _refuse_known(incoming: Sequence[RecordedLine], known: set[str], file: Path, dataset: str) -> None:
    for line in incoming:
        if line.conversation.id in known:
            text = (
                f"a conversation {line.conversation.id!r} is in the data set {dataset} already; "
                "give this one another id, or import with --replace to replace that one"
            )
            raise InputError(text, file=file, line=line.line)


def _refuse_misfit_of_labels(lines: dict[str, RecordedLine], into_folder: Path) -> None:
    labels = into_folder / LABELS
    if labels.exists():
        conversations = {id_: line.conversation for id_, line in lines.items()}
        found, _ = read_labels(labels)
        for problem in label_problems(found, conversations, labels):
            raise problem.error()
