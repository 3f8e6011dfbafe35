"""A prompt: one versioned file of front matter and sections. Read, checked and hashed here; never rewritten.

    ---
    name: extraction
    version: v1
    description: what it is for
    model_role: reasoning
    temperature: 0.1
    max_tokens: 2000
    variables:
      transcript: what this variable holds
    reply:                                  # if anything is to be asked for in other words than the engine's
      Finding.value: what this field of the reply holds
    examples: [talks/carrier/4]             # if labelled turns are shown in the text
    ---
    ## system
    text of the system message
    ## user
    text of the user message, with {{ transcript }}

`reply` says in other words what the fields of the reply schema hold: the schema is sent along and read by the model
like the text. `examples` names the turns (data set, conversation, turn) that the text shows: those conversations can
no longer judge it.

A line `## name` in small letters opens a section; any other heading is text. Sections are split before
anything is filled in, so that no text of a customer can open one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypedDict

from engine.errors import PromptError
from engine.prompts.front_matter import FrontMatter, read_front_matter
from engine.prompts.template import MAX_TEMPLATE_CHARACTERS, StrictTemplate

ROLES = ("system", "user", "assistant")
MAX_FILE_BYTES = 4 * MAX_TEMPLATE_CHARACTERS

_FENCE = "---"
SECTION = re.compile(r"## ([a-z][a-z0-9_]*(?:\.[a-z0-9_]+)?)\s*")  # a line that opens one, as a whole


class Message(TypedDict):
    """One chat message as every provider takes it."""

    role: str
    content: str


@dataclass(frozen=True)
class Prompt:
    """A prompt file, ready to be filled in. `content` is the file byte for byte, `hash` its SHA-256.

    Prompts of equal content are equal.
    """

    head: FrontMatter = field(compare=False)
    sections: Mapping[str, StrictTemplate] = field(compare=False, repr=False)
    content: bytes

    @property
    def name(self) -> str:
        return self.head.name

    @property
    def version(self) -> str:
        return self.head.version

    @property
    def variables(self) -> Mapping[str, str]:
        """What each variable means."""
        return self.head.variables

    @cached_property
    def hash(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def ref(self) -> str:
        """`name@hash8`: what a source and a run record."""
        return f"{self.name}@{self.hash[:8]}"

    def render(self, **variables: object) -> tuple[Message, ...]:
        """The chat messages, one for each section. Raises PromptError for a missing or unknown variable."""
        if self.head.model_role is None:
            raise PromptError(f"{self.ref} has no model_role: it is woven into other prompts and makes no messages")
        self._check(variables)
        return tuple(Message(role=role, content=part.render(variables)) for role, part in self.sections.items())

    def render_section(self, section: str, **variables: object) -> str:
        """The text of one section; every variable of the prompt must be given. Raises PromptError."""
        self._check(variables)
        if section not in self.sections:
            raise PromptError(f"{self.ref} has no section {section!r}; it has: {', '.join(self.sections)}")
        return self.sections[section].render(variables)

    def chosen_from(self, available: Mapping[str, object]) -> dict[str, object]:
        """Of all that is available, the variables that this version uses. Raises PromptError if one is not there."""
        if missing := sorted(set(self.variables) - set(available)):
            raise PromptError(f"{self.ref} uses {_listed(missing)}; available are: {', '.join(sorted(available))}")
        return {name: available[name] for name in self.variables}

    def _check(self, given: Mapping[str, object]) -> None:
        if missing := sorted(set(self.variables) - set(given)):
            raise PromptError(f"{self.ref}: no value was given for {_listed(missing)}")
        if unknown := sorted(set(given) - set(self.variables)):
            raise PromptError(f"{self.ref} does not use {_listed(unknown)}")


def read_prompt(content: bytes, *, where: str) -> Prompt:
    """The prompt in a file's bytes; `where` names the file in errors. Raises PromptError, with the line."""
    lines = _decoded(content, where).replace("\r\n", "\n").split("\n")
    end = _end_of_front_matter(lines, where)
    head = read_front_matter("\n".join(lines[1:end]), where)
    sections = _sections(lines, end + 1, where)
    _check_roles(head, sections, where)
    _check_declared(head, sections, where)
    return Prompt(head=head, sections=sections, content=content)


def _decoded(content: bytes, where: str) -> str:
    if len(content) > MAX_FILE_BYTES:
        raise PromptError(f"{where}: {len(content):,} bytes; a prompt file holds at most {MAX_FILE_BYTES:,}")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PromptError(f"{where}: not UTF-8 at byte {error.start}; save the file as UTF-8") from None


def _end_of_front_matter(lines: list[str], where: str) -> int:
    if lines[0].rstrip() != _FENCE:
        raise PromptError(f"{where}, line 1: a prompt file begins with front matter between two lines of ---")
    for number, line in enumerate(lines[1:], start=1):
        if line.rstrip() == _FENCE:
            return number
    raise PromptError(f"{where}: the front matter is not closed by a line of ---")


def _sections(lines: list[str], start: int, where: str) -> dict[str, StrictTemplate]:
    sections: dict[str, StrictTemplate] = {}
    heads = [(n, m[1]) for n in range(start, len(lines)) if (m := SECTION.fullmatch(lines[n]))]
    before = lines[start : heads[0][0] if heads else len(lines)]
    if not heads or any(line.strip() for line in before):
        raise PromptError(f"{where}, line {start + 1}: the text begins with a section such as '## system'")
    ends = [number for number, _ in heads[1:]] + [len(lines)]
    for (number, name), end in zip(heads, ends, strict=True):
        if name in sections:
            raise PromptError(f"{where}, line {number + 1}: there is a section '## {name}' already")
        body = lines[number + 1 : end]
        blank = next((i for i, line in enumerate(body) if line.strip()), len(body))
        text = "\n".join(body[blank:]).rstrip()
        if not text:
            raise PromptError(f"{where}, line {number + 1}: section '## {name}' is empty")
        sections[name] = StrictTemplate(text, where=where, line=number + blank + 2)
    return sections


def _check_roles(head: FrontMatter, sections: Mapping[str, StrictTemplate], where: str) -> None:
    """A prompt for a model is made of roles only, so that a mistyped role does not silently vanish."""
    others = [name for name in sections if name not in ROLES]
    if head.model_role is not None and others:
        raise PromptError(f"{where}: section {others[0]!r} is not a role; roles are {', '.join(ROLES)}")
    if head.model_role is None and head.reply:
        raise PromptError(f"{where}: without a model_role it asks for no reply that `reply` could describe")
    if head.model_role is None and len(others) < len(sections):
        raise PromptError(f"{where}: without a model_role it cannot have the sections {', '.join(ROLES)}")


def _check_declared(head: FrontMatter, sections: Mapping[str, StrictTemplate], where: str) -> None:
    used: dict[str, int] = {}
    for section in sections.values():
        for name, line in section.variables.items():
            used.setdefault(name, line)
    for name, line in used.items():
        if name not in head.variables:
            raise PromptError(f"{where}, line {line}: unknown variable '{name}'; the front matter describes none such")
    if unused := sorted(set(head.variables) - set(used)):
        raise PromptError(f"{where}: {_listed(unused)} is described in the front matter but never used")


def _listed(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
