"""A prompt set: every prompt that a variant uses, by name, as one value with one hash; no folder is needed for it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from engine.errors import PromptError
from engine.prompts.library import PromptLibrary
from engine.prompts.prompt import Prompt, read_prompt

SHORT = 8  # hexadecimal digits that stand for a whole hash


@dataclass(frozen=True)
class PromptSet:
    """Prompts by name. Two sets of equal content have equal hashes, wherever they came from."""

    prompts: Mapping[str, Prompt]

    @classmethod
    def of(cls, library: PromptLibrary) -> PromptSet:
        """The prompts that a library has in use. Raises PromptError for one that cannot be read."""
        return cls.from_prompts(library.load(name) for name in library.names())

    @classmethod
    def from_prompts(cls, prompts: Iterable[Prompt]) -> PromptSet:
        """Of two prompts of one name the later one."""
        found = {prompt.name: prompt for prompt in prompts}
        return cls(MappingProxyType(dict(sorted(found.items()))))

    @classmethod
    def from_contents(cls, contents: Mapping[str, str]) -> PromptSet:
        """The reverse of `contents`. Raises PromptError, with the line, or where a text is another prompt's."""
        prompts = [read_prompt(text.encode(), where=name) for name, text in contents.items()]
        for name, prompt in zip(contents, prompts, strict=True):
            if prompt.name != name:
                raise PromptError(f"the text that is kept as {name!r} says that it is {prompt.name!r}")
        return cls.from_prompts(prompts)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the lines "name content_hash", sorted; in hexadecimal digits."""
        return set_hash(self.hashes())

    @property
    def short(self) -> str:
        return self.hash[:SHORT]

    def hashes(self, names: Iterable[str] | None = None) -> dict[str, str]:
        """Content hash by prompt name. Raises PromptError for a name that the set has not."""
        return {name: self.prompt(name).hash for name in (self.prompts if names is None else names)}

    def prompt(self, name: str) -> Prompt:
        """Raises PromptError, with the names there are."""
        if name not in self.prompts:
            raise PromptError(f"the prompt set {self.short} has no prompt {name!r}; it has: {', '.join(self.prompts)}")
        return self.prompts[name]

    def contents(self) -> dict[str, str]:
        """The files' texts by name, from which `from_contents` makes the same set byte for byte."""
        return {name: prompt.content.decode() for name, prompt in self.prompts.items()}

    def library(self) -> PromptLibrary:
        """What the engine takes: these prompts and no others."""
        return PromptLibrary.of(self.prompts.values())

    def with_prompts(self, *prompts: Prompt) -> PromptSet:
        """The set with these in place of those of their name."""
        return PromptSet.from_prompts((*self.prompts.values(), *prompts))


def set_hash(hashes: Mapping[str, str]) -> str:
    """The hash of the set whose prompts have these content hashes."""
    lines = sorted(f"{name} {content_hash}\n" for name, content_hash in hashes.items())
    return hashlib.sha256("".join(lines).encode()).hexdigest()
