"""Plain text and Jinja templates from elsewhere as prompts of ours: a front matter is written, the text stays."""

from __future__ import annotations

import re

import yaml

from engine.errors import PromptError
from engine.prompts import Prompt, read_prompt
from engine.prompts.offered import OFFERED
from engine.prompts.template import StrictTemplate, literally

_HEAD = re.compile(r"(?m)^## (system|user|assistant)[ \t]*$")
_HEADING = re.compile(r"(?m)^##(?= [a-z][a-z0-9_]*(?:\.[a-z0-9_]+)?[ \t]*$)")


def imported(text: str, base: Prompt, *, where: str, jinja: bool) -> bytes:
    """A prompt file that says `text`, for what `base` is for: its name, model role and limits, under its version.

    Lines `## system`, `## user`, `## assistant` divide the text. Without any it is the system section, and what `base`
    says to the user follows; or the user section alone, if it shows `transcript` itself. Variables are those of the
    engine; in plain text (not `jinja`) there are none, and braces are braces. Raises PromptError, with the line of the
    text, for what no prompt can hold.
    """
    if base.head.model_role is None:
        raise PromptError(f"{base.name} is woven into other prompts; import what is sent to a model: {_sent()}")
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if not plain.strip():
        raise PromptError(f"{where}: the text is empty")
    used = StrictTemplate(plain, where=where).variables if jinja else {}
    offered = OFFERED[base.name]
    for name, line in used.items():
        if name not in offered:
            raise PromptError(
                f"{where}, line {line}: '{name}' is not available here; available are: {', '.join(offered)}"
            )
    body = _body(plain if jinja else literally(plain), base, shows_transcript="transcript" in used)
    content = f"---\n{_front_matter(body, base, where)}---\n{body.rstrip()}\n".encode()
    read_prompt(content, where=where)
    return content


def is_jinja(text: str) -> bool:
    """Whether a text looks like a template: it prints or chooses somewhere."""
    return "{{" in text or "{%" in text


def _body(text: str, base: Prompt, *, shows_transcript: bool) -> str:
    if found := _HEAD.search(text):
        return f"## system\n{text}" if text[: found.start()].strip() else text.lstrip("\n")
    quiet = _HEADING.sub('{{ "##" }}', text)  # a heading of the text, and no section of ours
    if shows_transcript:
        return f"## user\n{quiet}"
    return f"## system\n{quiet.rstrip()}\n{_after_system(base)}"


def _after_system(base: Prompt) -> str:
    """The sections of `base` but for the system one, as they were written."""
    others = [f"## {role}\n{part.source}" for role, part in base.sections.items() if role != "system"]
    return "\n".join(others)


def _front_matter(body: str, base: Prompt, where: str) -> str:
    offered = OFFERED[base.name]
    parts = _HEAD.split(body)[1:]
    used = {name for text in parts[1::2] for name in StrictTemplate(text, where=where).variables}
    head = {
        "name": base.name,
        "version": base.version,
        "description": f"imported from {where.rpartition('/')[2]}",
        "model_role": base.head.model_role,
        "temperature": base.head.temperature,
        "max_tokens": base.head.max_tokens,
        "variables": {name: base.variables.get(name, meaning) for name, meaning in offered.items() if name in used},
    }
    return yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=100)


def _sent() -> str:
    return ", ".join(name for name in OFFERED if name not in ("system", "guidance", "context"))
