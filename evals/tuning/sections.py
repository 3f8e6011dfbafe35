"""The sections of a prompt file as texts that can be replaced one by one, with everything around them left as it is."""

from __future__ import annotations

from collections.abc import Mapping

from engine.errors import PromptError
from engine.prompts import Prompt, read_prompt
from engine.prompts.prompt import SECTION


def sections_of(prompt: Prompt) -> dict[str, str]:
    """The text of each section by name, as it stands in the file but for blank lines around it."""
    lines, heads = outline(prompt)
    ends = [number for number, _ in heads[1:]] + [len(lines)]
    return {
        name: "\n".join(lines[number + 1 : end]).strip("\n").rstrip()
        for (number, name), end in zip(heads, ends, strict=True)
    }


def with_sections(prompt: Prompt, texts: Mapping[str, str]) -> Prompt:
    """The prompt with these texts in the place of its sections of those names.

    Raises PromptError, with the line, for a text that drops or invents a variable, is no sound template, or would open
    a section of its own.
    """
    lines, heads = outline(prompt)
    changed = {name: text for name, text in texts.items() if sections_of(prompt).get(name) != text.strip("\n").rstrip()}
    for name in changed:
        if name not in prompt.sections:
            raise PromptError(f"{prompt.ref} has no section {name!r}")
    made: list[str] = lines[: heads[0][0]]
    ends = [number for number, _ in heads[1:]] + [len(lines)]
    for (number, name), end in zip(heads, ends, strict=True):
        if name in changed:
            last = end == len(lines)
            made += [lines[number], *changed[name].strip("\n").rstrip().split("\n"), *([""] if last else [])]
        else:
            made += lines[number:end]
    found = read_prompt("\n".join(made).encode(), where=prompt.name)
    if tuple(found.sections) != tuple(prompt.sections):
        raise PromptError(f"{prompt.name}: a line of the text opens a section of its own; begin no line with '## name'")
    return found


def outline(prompt: Prompt) -> tuple[list[str], list[tuple[int, str]]]:
    """The lines of the file without their ends, and where each section begins: the number of its line, from 0."""
    lines = prompt.content.decode("utf-8-sig").replace("\r\n", "\n").split("\n")
    end = next(number for number, line in enumerate(lines) if number and line.rstrip() == "---")
    heads = [
        (number, match[1]) for number, line in enumerate(lines) if number > end and (match := SECTION.fullmatch(line))
    ]
    return lines, heads
