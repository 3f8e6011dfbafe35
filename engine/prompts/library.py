"""Where prompts are found: folders of `<name>/<version>.md`, the shipped one first. Nothing is ever rewritten."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from engine.errors import PromptError
from engine.prompts.prompt import Prompt, read_prompt

SHIPPED = Path(__file__).parent


class PromptLibrary:
    """The prompts of the shipped folder, and of further folders on top of it.

    `chosen` maps prompt names to versions: the prompt set of a variant. A name that is not chosen means the
    newest version in the first folder that has it, so that a draft in a further folder is used only where it
    was chosen. A version stands in one folder, or in several with the same bytes.
    """

    def __init__(self, *further: Path, shipped: Path = SHIPPED, chosen: Mapping[str, str] | None = None) -> None:
        self._folders = (shipped, *further)
        self._chosen = dict(chosen or {})
        self._loaded: dict[tuple[str, str], Prompt] = {}

    def names(self) -> tuple[str, ...]:
        """The prompts there are, in alphabetical order."""
        found = {path.parent.name for folder in self._folders for path in folder.glob("*/*.md")}
        return tuple(sorted(found))

    def versions(self, name: str) -> tuple[str, ...]:
        """All versions of a prompt, the oldest first (v2 before v10)."""
        return _in_order({path.stem for path in self._files(name)})

    def load(self, name: str, version: str | None = None) -> Prompt:
        """One version, checked; without `version` the chosen one, else the shipped one. Raises PromptError."""
        version = version or self._chosen.get(name) or self._newest_of_the_first_folder(name)
        key = (name, version)
        if key not in self._loaded:
            self._loaded[key] = self._read(name, version)
        return self._loaded[key]

    def find(self, ref: str) -> Prompt:
        """The prompt that a run recorded as `name@hash`. Raises PromptError if no version has that content."""
        name, _, digest = ref.partition("@")
        for version in self.versions(name):
            if digest and (prompt := self.load(name, version)).hash.startswith(digest):
                return prompt
        raise PromptError(f"no version of the prompt {name!r} has the content {digest or '(none)'!r}")

    def choosing(self, chosen: Mapping[str, str]) -> PromptLibrary:
        """A library of the same folders in which these versions are chosen as well."""
        shipped, *further = self._folders
        return PromptLibrary(*further, shipped=shipped, chosen={**self._chosen, **chosen})

    def hashes(self, names: Iterable[str] | None = None) -> dict[str, str]:
        """Content hash by prompt name, of the versions in use: what identifies a prompt set."""
        return {name: self.load(name).hash for name in (self.names() if names is None else names)}

    def _files(self, name: str) -> list[Path]:
        if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", name):
            raise PromptError(f"{name!r} is not the name of a prompt: small letters, digits, . _ -")
        return [path for folder in self._folders for path in sorted((folder / name).glob("*.md"))]

    def _newest_of_the_first_folder(self, name: str) -> str:
        files = self._files(name)
        if not files:
            raise PromptError(f"there is no prompt {name!r}; there are: {', '.join(self.names())}")
        return _in_order({path.stem for path in files if path.parent == files[0].parent})[-1]

    def _read(self, name: str, version: str) -> Prompt:
        files = [path for path in self._files(name) if path.stem == version]
        if not files:
            there = ", ".join(self.versions(name)) or "none"
            raise PromptError(f"the prompt {name!r} has no version {version!r}; it has: {there}")
        contents = {path.read_bytes() for path in files}
        if len(contents) > 1:
            raise PromptError(f"{name} {version} stands in two folders with different content: {files[0]}, {files[-1]}")
        prompt = read_prompt(contents.pop(), where=f"{name}/{version}.md")
        if (prompt.name, prompt.version) != (name, version):
            raise PromptError(f"{files[0]} says that it is {prompt.name} {prompt.version}; file and text must agree")
        return prompt


def _in_order(versions: Iterable[str]) -> tuple[str, ...]:
    """Numbers by size, letters by alphabet: v1, v2, v10."""

    def key(version: str) -> list[tuple[int, int, str]]:
        parts = re.findall(r"\d+|\D+", version)
        return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]

    return tuple(sorted(versions, key=lambda version: (key(version), version)))
