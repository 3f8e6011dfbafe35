"""The workspace of prompts: every version that was ever saved, byte for byte, and the sets that they make up.

    prompts/
      question/v2.md      the version as it was saved
      versions.jsonl      one line for each: content hash, parent, author, date, note
      sets.jsonl          one line for each set that was saved: its prompts by hash, label, parent, author, date, note

Nothing is overwritten and nothing removed. A folder of a git checkout holds the same files.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from engine.errors import PromptError, UnknownPromptError
from engine.prompts import SHIPPED, Prompt, PromptLibrary, PromptSet, read_prompt
from engine.prompts.rewriting import as_edited, with_version, without_version
from evals.errors import unknown
from evals.locks import locked
from evals.tuning.checking import errors
from evals.tuning.history import append_values, read_values
from evals.tuning.version_files import conflict, created, next_version, prompt_in, versions_in
from evals.tuning.version_values import (
    HASH,
    MAX_NAME,
    MAX_NOTE,
    PromptVersion,
    SetLine,
    SetVersion,
    VersionLine,
    check_label,
    said,
    version_line,
)

VERSIONS, SETS = "versions.jsonl", "sets.jsonl"
SHIPPED_SET = "shipped"

_SLUG = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")


class PromptWorkspace:
    """The prompts kept in `folder` (made when something is saved), on top of the shipped ones.

    Several processes may save at once: one at a time holds `lock`, a file in the folder if not told otherwise. Methods
    that write raise LockedError if another one has it for longer than `lock_timeout` seconds, OSError if the disk
    refuses.
    """

    def __init__(
        self, folder: Path, shipped: Path = SHIPPED, *, lock: Path | None = None, lock_timeout: float = 10.0
    ) -> None:
        self.folder = folder
        self._shipped = shipped
        self._lock = lock or folder / ".lock"
        self._lock_timeout = lock_timeout

    @cached_property
    def shipped(self) -> PromptSet:
        """The set that is used where none is named."""
        return PromptSet.of(PromptLibrary(shipped=self._shipped))

    def library(self, prompts: Mapping[str, str] | None = None) -> PromptLibrary:
        """Shipped prompts and own ones; in use are those with the content hashes `prompts` by name, else shipped ones.

        Raises PromptError if no version has that content any more.
        """
        library = PromptLibrary(self.folder, shipped=self._shipped)
        found = [library.find(f"{name}@{digest}") for name, digest in (prompts or {}).items()]
        return library.using(*found) if found else library

    def versions(self, name: str | None = None) -> tuple[PromptVersion, ...]:
        """All versions of a prompt (None: of every one), oldest first; shipped ones before own ones of equal name.

        Raises PromptError for a name that there is not, and for a version whose file was changed after it was saved.
        """
        names = self._names() if name is None else (self._known(name),)
        lines = {(line.name, line.hash): line for line in read_values(self.folder / VERSIONS, VersionLine)}
        return tuple(version for each in names for version in versions_in(self.folder, self._shipped, each, lines))

    def version(self, ref: str) -> PromptVersion:
        """The one that `question` (the shipped one in use), `question@v2` or `question@1f9ac3e2` names.

        Raises PromptError, with the choices.
        """
        name, at, wanted = ref.replace("/", "@", 1).partition("@")
        versions = self.versions(name)
        if not at:
            in_use = self.shipped.prompt(name).hash
            return next(own for own in versions if own.hash == in_use)
        found = [own for own in versions if own.version == wanted]
        if not found and HASH.fullmatch(wanted):
            found = [own for own in versions if own.hash.startswith(wanted)]
        if len({own.hash for own in found}) > 1:
            refs = " or ".join(own.ref for own in found)
            raise PromptError(f"{ref} may be either of {len(found)} versions; name one by its content: {refs}")
        if not found:
            there = ", ".join(own.version for own in versions)
            raise UnknownPromptError(f"the prompt {name!r} has no version {wanted!r}; it has: {there}")
        return found[0]

    def save(
        self,
        name: str,
        text: str | bytes,
        *,
        author: str,
        parent: str | None = None,
        note: str = "",
        version: str | None = None,
        date: datetime | None = None,
    ) -> PromptVersion:
        """Keep a text as a version of the prompt `name`, made from the version `parent`.

        Its front matter may still say the parent's version: it is given the next free one (v2, v3, ...) or `version`,
        and nothing else in it changes. Text from an editor gets the parent's line ends. A content that is there
        already, under whatever version, is that version. Raises PromptError for a text that is no sound prompt, and
        for a version that is there with other content.
        """
        base = None if parent is None else self.version(parent)
        content = as_edited(text, base.prompt.content if base else None) if isinstance(text, str) else text
        self._check_new(name, content, base)
        with self._locked():
            known = self.versions(name)
            present, content = self._placed(content, version, known)
            prompt = present.prompt if present else read_prompt(content, where=name)
            line = version_line(prompt, base.prompt if base else None, author, date, note)
            if present is None:
                return self._put(prompt, line, known)
            if present.shipped or present.about is not None:
                return present
            append_values(self.folder / VERSIONS, [line])  # a file put there by hand, or by a process that was killed
            return replace(present, about=line)

    def save_set(
        self,
        chosen: Sequence[str],
        *,
        author: str,
        parent: str = SHIPPED_SET,
        label: str | None = None,
        note: str = "",
        date: datetime | None = None,
    ) -> SetVersion:
        """Keep the set `parent` with the versions `chosen` (`question@v2`, ...) in place of those of their names.

        A set that is there already gets another label, if one is given. Raises PromptError for a label that another
        set has.
        """
        base = self.set_named(parent)
        found = base.with_prompts(*self._each_once(chosen))
        with self._locked():
            known = self.sets()
            if label is not None:
                check_label(label, found.hash, known)
            present = next((own for own in known if own.hash == found.hash), None)
            if present is None or (label is not None and label not in present.labels):
                line = SetLine(
                    hash=found.hash,
                    label=label,
                    parent=None if base.hash == found.hash else base.hash,
                    author=said(author, MAX_NAME, "author"),
                    date=date or datetime.now(UTC),
                    note=said(note, MAX_NOTE, "note", needed=False),
                    prompts=found.hashes(),
                )
                append_values(self.folder / SETS, [line])
        return next(own for own in self.sets() if own.hash == found.hash)

    def sets(self) -> tuple[SetVersion, ...]:
        """The shipped set, and every one that was saved, oldest first."""
        found = {self.shipped.hash: SetVersion(self.shipped.hash, (SHIPPED_SET,), self.shipped.hashes())}
        for line in read_values(self.folder / SETS, SetLine):
            known = found.get(line.hash)
            labels = (*(known.labels if known else ()), *([line.label] if line.label else []))
            found[line.hash] = SetVersion(line.hash, labels, line.prompts, (known.about if known else None) or line)
        return tuple(found.values())

    def set(self, ref: str) -> SetVersion:
        """The saved set with this label or hash (six digits are enough). Raises InputError with near names."""
        found = self._found_set(ref)
        if found is None:
            raise unknown("prompt set", ref, self.set_names())
        return found

    def has_set(self, text: str) -> bool:
        """Whether `set_named` knows a set of this name; versions that the text names itself are not looked for."""
        return "@" in text or self._found_set(text) is not None

    def set_named(self, text: str) -> PromptSet:
        """The set that `shipped`, a label, or a hash names; or `question@v2`, `question@v2,extraction@v3`: the shipped
        one with these versions. Raises InputError or PromptError, with the choices.
        """
        if text == SHIPPED_SET:
            return self.shipped
        if "@" in text:
            refs = [ref.strip() for ref in text.split(",") if ref.strip()]
            return self.shipped.with_prompts(*self._each_once(refs))
        return self.set_of(self.set(text).prompts)

    def set_of(self, hashes: Mapping[str, str]) -> PromptSet:
        """The set of these content hashes by name; names that are left out are as shipped. Raises PromptError."""
        library = self.library(hashes)
        return self.shipped.with_prompts(*(library.load(name) for name in hashes))

    def set_names(self) -> tuple[str, ...]:
        """Everything that `set` takes: labels, and short hashes of those that have none."""
        return tuple(name for own in self.sets() for name in own.labels or (own.short,))

    def export(self, versions: Sequence[PromptVersion], folder: Path) -> tuple[Path, ...]:
        """Write these versions and what is remembered of them to a folder; files that are there as they are stay.

        Raises PromptError, before anything is written, if a file there has other content.
        """
        there = PromptWorkspace(folder, self._shipped, lock=self._lock, lock_timeout=self._lock_timeout)
        there._take([(own.prompt, own.about) for own in versions], everything=True)
        return tuple(there._file(own.name, own.version) for own in versions)

    def take(
        self, folder: Path, *, author: str, note: str = "", date: datetime | None = None
    ) -> tuple[PromptVersion, ...]:
        """Keep every prompt below a folder (`<name>/<version>.md`, as `export` writes them), and return what is new.

        What the folder remembers of them comes along; others are by `author`. Raises PromptError, before anything is
        kept, for a file that is no sound prompt, or a version that is here with other content.
        """
        remembered = {line.hash: line for line in read_values(folder / VERSIONS, VersionLine)}
        files = [file for name in self._names() for file in sorted((folder / name).glob("*.md"))]
        if not files:
            raise PromptError(f"{folder} has no files such as {self._names()[0]}/v2.md")
        prompts = [prompt_in(file) for file in files]
        for prompt, file in zip(prompts, files, strict=True):
            _check(prompt.content, prompt.name, where=str(file))
        lines = [remembered.get(prompt.hash) or version_line(prompt, None, author, date, note) for prompt in prompts]
        return self._take(list(zip(prompts, lines, strict=True)))

    def _take(
        self, found: Sequence[tuple[Prompt, VersionLine | None]], *, everything: bool = False
    ) -> tuple[PromptVersion, ...]:
        """Put all of them or, if one is in the way of another, none. Shipped ones are written if `everything` is."""
        with self._locked():
            new = []
            for prompt, line in found:
                all_known = versions_in(self.folder, self._shipped, prompt.name, {})
                known = [own for own in all_known if not (everything and own.shipped)]
                same = [own for own in known if own.version == prompt.version]
                if conflicts := [own for own in same if own.hash != prompt.hash]:
                    raise conflict(prompt, conflicts[0], known)
                if not same:
                    new.append((prompt, line))
            return tuple(self._put(prompt, line, ()) for prompt, line in new)

    def _check_new(self, name: str, content: bytes, base: PromptVersion | None) -> None:
        self._known(name)
        _check(content, name, where=name)
        if base is not None and base.name != name:
            raise PromptError(f"{base.ref} cannot be the parent of a version of {name!r}")

    def _placed(
        self, content: bytes, version: str | None, known: Sequence[PromptVersion]
    ) -> tuple[PromptVersion | None, bytes]:
        """The version that has this content already, or the content with the version that it is to have."""
        if version is not None:
            if not _SLUG.fullmatch(version):
                raise PromptError(f"{version!r} cannot be the name of a version: small letters, digits, . _ -")
            content = with_version(content, version)
            digest = hashlib.sha256(content).hexdigest()
            return next((own for own in known if own.hash == digest), None), content
        bare = without_version(content)
        for own in known:
            if without_version(own.prompt.content) == bare:
                return own, content
        own_version = read_prompt(content, where="the text").version
        free = own_version not in {own.version for own in known}
        return None, content if free else with_version(content, next_version(known))

    def _put(self, prompt: Prompt, line: VersionLine | None, known: Sequence[PromptVersion]) -> PromptVersion:
        """Write a version, then what is remembered of it: no line ever speaks of a file that is not there."""
        for own in known:
            if own.version == prompt.version and own.hash != prompt.hash:
                raise conflict(prompt, own, known)
        file = self._file(prompt.name, prompt.version)
        if not created(file, prompt.content) and file.read_bytes() != prompt.content:
            raise PromptError(f"{file} is there with other content, and nothing is overwritten; rename one of the two")
        if line is not None:
            append_values(self.folder / VERSIONS, [line])
        return PromptVersion(prompt, shipped=False, about=line)

    def _each_once(self, refs: Sequence[str]) -> tuple[Prompt, ...]:
        """The versions of these names. Raises PromptError if two of them are of one prompt."""
        found: dict[str, Prompt] = {}
        for ref in refs:
            prompt = self.version(ref).prompt
            if found.setdefault(prompt.name, prompt) != prompt:
                raise PromptError(f"a set has one version of {prompt.name!r}, and {ref} would be a second")
        return tuple(found.values())

    def _found_set(self, ref: str) -> SetVersion | None:
        known = self.sets()
        found = [own for own in known if ref in own.labels or ref == own.hash]
        found = found or [own for own in known if HASH.fullmatch(ref) and own.hash.startswith(ref)]
        return found[0] if len(found) == 1 else None

    def _names(self) -> tuple[str, ...]:
        return tuple(self.shipped.prompts)

    def _known(self, name: str) -> str:
        if name not in self.shipped.prompts:
            raise UnknownPromptError(f"there is no prompt {name!r}; there are: {', '.join(self._names())}")
        return name

    def _file(self, name: str, version: str) -> Path:
        return self.folder / name / f"{version}.md"

    def _locked(self) -> AbstractContextManager[None]:
        self._lock.parent.mkdir(parents=True, exist_ok=True)
        return locked(self._lock, what="the prompts in QBS_HOME", timeout=self._lock_timeout)


def _check(content: bytes, name: str, *, where: str) -> None:
    for problem in errors(content, name):
        place = where if problem.line is None else f"{where}, line {problem.line}"
        raise PromptError(f"{place}: {problem.message}")


def runs_with(runs: Path, prompts: Mapping[str, str]) -> tuple[str, ...]:
    """The ids of the runs below `runs` whose variant used all of these content hashes by prompt name, newest first."""
    from evals.runs.folder import RunFolder, run_folders

    found = [RunFolder.open(path).manifest for path in run_folders(runs)]
    used = [manifest for manifest in found if prompts.items() <= manifest.spec.variant.prompts.items()]
    return tuple(manifest.run_id for manifest in sorted(used, key=lambda own: own.created_at, reverse=True))
