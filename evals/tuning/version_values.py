"""What is remembered of a prompt version and of a prompt set, and what people may say about one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import AwareDatetime, Field

from engine.errors import PromptError
from engine.model.value import Value
from engine.prompts import Prompt
from engine.prompts.sets import SHORT
from evals.shapes import unwelcome_character

MAX_NOTE = 2_000
MAX_NAME = 100
HASH = re.compile(r"[0-9a-f]{6,64}")

_LABEL = re.compile(r"[a-z0-9][a-z0-9._ -]{0,59}", re.IGNORECASE)


class VersionLine(Value):
    """What is remembered of a version beside its content. `parent` is `name@hash`."""

    name: str
    version: str
    hash: str
    parent: str | None = None
    author: str
    date: AwareDatetime
    note: str = ""


class SetLine(Value):
    """A set as it was saved: content hashes by prompt name, under a label if it was given one. `parent` is a hash."""

    hash: str
    label: str | None = None
    parent: str | None = None
    author: str
    date: AwareDatetime
    note: str = ""
    prompts: dict[str, str] = Field(min_length=1)


@dataclass(frozen=True)
class PromptVersion:
    """One version of a prompt. `about` is None for a shipped one, and for a file that somebody put there by hand."""

    prompt: Prompt
    shipped: bool
    about: VersionLine | None = None

    @property
    def name(self) -> str:
        return self.prompt.name

    @property
    def version(self) -> str:
        return self.prompt.version

    @property
    def hash(self) -> str:
        return self.prompt.hash

    @property
    def ref(self) -> str:
        return self.prompt.ref

    @property
    def parent(self) -> str | None:
        """`name@hash` of the version that it was made from."""
        return self.about.parent if self.about else None

    @property
    def text(self) -> str:
        return self.prompt.content.decode()


@dataclass(frozen=True)
class SetVersion:
    """A prompt set that can be named. `about` is None for the shipped one."""

    hash: str
    labels: tuple[str, ...]
    prompts: Mapping[str, str]
    about: SetLine | None = None

    @property
    def short(self) -> str:
        return self.hash[:SHORT]

    @property
    def name(self) -> str:
        """What a person would call it: the label given last, else the short hash."""
        return self.labels[-1] if self.labels else self.short


def version_line(prompt: Prompt, parent: Prompt | None, author: str, date: datetime | None, note: str) -> VersionLine:
    return VersionLine(
        name=prompt.name,
        version=prompt.version,
        hash=prompt.hash,
        parent=None if parent is None else f"{parent.name}@{parent.hash}",
        author=said(author, MAX_NAME, "author"),
        date=date or datetime.now(UTC),
        note=said(note, MAX_NOTE, "note", needed=False),
    )


def said(text: str, limit: int, what: str, *, needed: bool = True) -> str:
    """What a person gave as a name or a note. Raises PromptError for what cannot be kept."""
    text = text.strip()
    if needed and not text:
        raise PromptError(f"the {what} is missing: say who saves this")
    if len(text) > limit:
        raise PromptError(f"the {what} has {len(text):,} characters; at most {limit:,} are kept")
    if character := unwelcome_character(text):
        raise PromptError(f"the {what} holds {character}; remove it")
    return text


def check_label(label: str, hash_: str, known: Sequence[SetVersion]) -> None:
    if not _LABEL.fullmatch(label) or HASH.fullmatch(label):
        raise PromptError(f"{label!r} cannot be a label: letters, digits, spaces, . _ -, and not like a hash")
    for own in known:
        if label in own.labels and own.hash != hash_:
            raise PromptError(f"the label {label!r} is that of the set {own.short} already; choose another")
