"""Where prompts are found: folders of `<name>/<version>.md`, or values without a folder. Nothing is ever rewritten."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from engine.errors import PromptError, UnknownPromptError
from engine.prompts.prompt import Prompt, read_prompt

SHIPPED = Path(__file__).parent


class PromptLibrary:
    """The prompts of the shipped folder, of further folders on top of it, and those that are given as values.

    `given` prompts are in use whatever the folders hold. `chosen` maps other prompt names to versions. A name that is
    neither given nor chosen means the newest version in the first folder that has it, so that a draft in a further
    folder is used only where it was chosen. A version that is asked for by name stands in one place, or in several
    with the same bytes.
    """

    def __init__(
        self,
        *further: Path,
        shipped: Path | None = SHIPPED,
        chosen: Mapping[str, str] | None = None,
        given: Iterable[Prompt] = (),
    ) -> None:
        self._folders = further if shipped is None else (shipped, *further)
        self._chosen = dict(chosen or {})
        self._given = {prompt.name: prompt for prompt in given}
        self._loaded: dict[tuple[str, str | None], Prompt] = {}

    @classmethod
    def of(cls, prompts: Iterable[Prompt]) -> PromptLibrary:
        """Exactly these prompts, each in use; there is no folder behind them."""
        return cls(shipped=None, given=prompts)

    def names(self) -> tuple[str, ...]:
        """The prompts there are, in alphabetical order."""
        found = {path.parent.name for folder in self._folders for path in folder.glob("*/*.md")}
        return tuple(sorted(found | self._given.keys()))

    def versions(self, name: str) -> tuple[str, ...]:
        """All versions of a prompt, the oldest first (v2 before v10)."""
        given = {self._given[name].version} if name in self._given else set()
        return in_order({path.stem for path in self._files(name)} | given)

    def load(self, name: str, version: str | None = None) -> Prompt:
        """One version, checked; without `version` the one in use: given, chosen, or shipped. Raises PromptError."""
        given = self._given.get(name)
        if given is not None and version in (None, given.version):
            return given
        version = version or self._chosen.get(name)
        if (name, version) not in self._loaded:
            self._loaded[name, version] = self._named(name, version) if version else self._newest(name)
        return self._loaded[name, version]

    def find(self, ref: str) -> Prompt:
        """The prompt that a run recorded as `name@hash`. Raises PromptError if no version has that content."""
        name, _, digest = ref.partition("@")
        given = self._given.get(name)
        if digest and given is not None and given.hash.startswith(digest):
            return given
        for path in self._files(name) if digest else ():
            if hashlib.sha256(path.read_bytes()).hexdigest().startswith(digest):
                return self._read(name, path.stem, [path])
        raise PromptError(f"no version of the prompt {name!r} has the content {digest or '(none)'!r}")

    def choosing(self, chosen: Mapping[str, str]) -> PromptLibrary:
        """The same prompts, of which these versions are in use."""
        given = [prompt for prompt in self._given.values() if chosen.get(prompt.name, prompt.version) == prompt.version]
        return PromptLibrary(*self._folders, shipped=None, chosen={**self._chosen, **chosen}, given=given)

    def using(self, *prompts: Prompt) -> PromptLibrary:
        """The same prompts, with these in use in place of others of their name."""
        given = {**self._given, **{prompt.name: prompt for prompt in prompts}}
        return PromptLibrary(*self._folders, shipped=None, chosen=self._chosen, given=given.values())

    def hashes(self, names: Iterable[str] | None = None) -> dict[str, str]:
        """Content hash by prompt name, of the versions in use: what identifies a prompt set."""
        return {name: self.load(name).hash for name in (self.names() if names is None else names)}

    def _files(self, name: str) -> list[Path]:
        if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", name):
            raise PromptError(f"{name!r} is not the name of a prompt: small letters, digits, . _ -")
        return [path for folder in self._folders for path in sorted((folder / name).glob("*.md"))]

    def _named(self, name: str, version: str) -> Prompt:
        return self._read(name, version, [path for path in self._files(name) if path.stem == version])

    def _newest(self, name: str) -> Prompt:
        """The newest version in the first folder that has any, whatever further folders hold under its name."""
        files = self._files(name)
        if not files:
            raise UnknownPromptError(f"there is no prompt {name!r}; there are: {', '.join(self.names())}")
        first = {path.stem: path for path in files if path.parent == files[0].parent}
        newest = in_order(first)[-1]
        return self._read(name, newest, [first[newest]])

    def _read(self, name: str, version: str, files: list[Path]) -> Prompt:
        if not files:
            there = ", ".join(self.versions(name)) or "none"
            raise UnknownPromptError(f"the prompt {name!r} has no version {version!r}; it has: {there}")
        contents = {path.read_bytes() for path in files}
        if len(contents) > 1:
            raise PromptError(
                f"{name} {version} stands in two folders with different content: {files[0]}, {files[-1]}; "
                f"name the one that you mean by its content, {name}@<hash>, or rename your own"
            )
        return self._checked(name, version, contents.pop(), files[0])

    def _checked(self, name: str, version: str, content: bytes, file: Path) -> Prompt:
        prompt = _parsed(content, f"{name}/{version}.md")
        if (prompt.name, prompt.version) != (name, version):
            raise PromptError(f"{file} says that it is {prompt.name} {prompt.version}; file and text must agree")
        return prompt


@lru_cache(maxsize=1024)
def _parsed(content: bytes, where: str) -> Prompt:
    """The same bytes are the same prompt, whichever library reads them; parsing takes some milliseconds."""
    return read_prompt(content, where=where)


def in_order(versions: Iterable[str]) -> tuple[str, ...]:
    """Numbers by size, letters by alphabet: v1, v2, v10."""

    def key(version: str) -> list[tuple[int, int, str]]:
        parts = re.findall(r"\d+|\D+", version)
        return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]

    return tuple(sorted(versions, key=lambda version: (key(version), version)))
