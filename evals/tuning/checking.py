"""Everything that is wrong with the text of a prompt, as an editor shows it while somebody types. Nothing is rendered.

What a template may do at all is decided in `engine.prompts.template`: it prints variables and chooses by `{% if %}`,
so that its size alone bounds what reading it takes, and rendering stops as soon as it grows too long.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

from engine.errors import PromptError
from engine.llm.reply import no_such_field
from engine.prompts import Prompt, PromptLibrary, read_prompt
from engine.prompts.offered import OFFERED
from engine.prompts.rewriting import line_of
from engine.replies import reply_fields

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong, on a line of the text (from 1; None where it is about the whole).

    With an error the text is no prompt that the engine could use; a warning is for a person to judge.
    """

    line: int | None
    message: str
    severity: Severity = "error"

    def __str__(self) -> str:
        return self.message if self.line is None else f"line {self.line}: {self.message}"


@dataclass(frozen=True, slots=True)
class ReplyField:
    """A field that the model fills in, as it is told about it. `overridden`: in the words of this prompt."""

    path: str
    type: str | None
    required: bool
    description: str | None
    overridden: bool


def check(text: str | bytes, name: str, available: Collection[str] | None = None) -> tuple[Problem, ...]:
    """What is wrong with `text` as the prompt `name`, in the order of its lines, errors that hide others alone.

    `available` are the variables that it may use: those that the engine offers to this prompt, if not given.
    """
    try:
        content = text if isinstance(text, bytes) else text.encode()
        prompt = read_prompt(content, where=name)
    except UnicodeEncodeError:
        return (Problem(None, "the text holds half of a surrogate pair, which no file can hold; type it anew"),)
    except PromptError as error:
        return (_problem(str(error), name),)
    found = [*_misnamed(prompt, name), *_variables(prompt, name, available), *_reply(prompt, name)]
    found += [*_roles(prompt, name)]
    return tuple(sorted(found, key=lambda problem: (problem.line or 0, problem.severity)))


def errors(text: str | bytes, name: str) -> tuple[Problem, ...]:
    """The problems that keep a text from being used."""
    return tuple(problem for problem in check(text, name) if problem.severity == "error")


def fields_of_reply(prompt: Prompt) -> tuple[ReplyField, ...]:
    """The schema that the model fills in for this prompt, in the order in which it reads it; empty if there is none."""
    told = prompt.head.reply
    return tuple(
        ReplyField(own.path, own.type, own.required, told.get(own.path, own.description), own.path in told)
        for own in reply_fields(prompt.name)
    )


def _problem(message: str, where: str) -> Problem:
    """A PromptError that begins with where it is, with the line as a number."""
    found = re.fullmatch(rf"{re.escape(where)}(?:, line (\d+))?: (.*)", message, re.DOTALL)
    return Problem(int(found[1]) if found and found[1] else None, found[2] if found else message)


def _misnamed(prompt: Prompt, name: str) -> Iterator[Problem]:
    if name not in OFFERED:
        yield Problem(None, f"there is no prompt {name!r} in the engine; there are: {', '.join(OFFERED)}")
    elif prompt.name != name:
        yield Problem(line_of(prompt.content, "name"), f"this is the prompt {prompt.name!r}, and not {name!r}")


def _variables(prompt: Prompt, name: str, available: Collection[str] | None) -> Iterator[Problem]:
    if available is None and name not in OFFERED:
        return  # nobody knows what a prompt that does not exist would be offered
    offered = OFFERED[name] if available is None else available
    for variable in prompt.variables:
        if variable not in offered:
            line = line_of(prompt.content, "variables", variable)
            yield Problem(line, f"'{variable}' is not available here; available are: {', '.join(sorted(offered))}")
    if "transcript" in offered and "transcript" not in prompt.variables:
        yield Problem(None, "without 'transcript' the model does not see what was said", "warning")


def _reply(prompt: Prompt, name: str) -> Iterator[Problem]:
    paths = [field.path for field in reply_fields(name)]
    for path in prompt.head.reply:
        if path not in paths:
            yield Problem(line_of(prompt.content, "reply", path), no_such_field(path, paths))


def _roles(prompt: Prompt, name: str) -> Iterator[Problem]:
    """Sections and model role must be those with which the engine uses the prompt."""
    shipped = _shipped(name)
    if shipped is None:
        return
    line = line_of(prompt.content, "model_role")
    if shipped.head.model_role is None and prompt.head.model_role is not None:
        yield Problem(line, "this prompt is woven into others and sent to no model; take model_role out")
    elif shipped.head.model_role is not None and prompt.head.model_role is None:
        yield Problem(line, "this prompt is sent to a model; it needs `model_role: reasoning` or `model_role: fast`")
    elif prompt.head.model_role is not None and "user" not in prompt.sections:
        yield Problem(None, "there is no section '## user'; many models answer nothing without one", "warning")
    elif prompt.head.model_role is None:
        for section in shipped.sections:
            if section not in prompt.sections:
                yield Problem(None, f"the engine uses a section '## {section}', which is missing")
        for section in prompt.sections:
            if section not in shipped.sections:
                yield Problem(None, f"the engine never uses the section '## {section}'", "warning")


@cache
def _shipped(name: str) -> Prompt | None:
    library = PromptLibrary()
    return library.load(name) if name in library.names() else None
