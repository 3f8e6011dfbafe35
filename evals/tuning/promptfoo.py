"""A prompt and its cases as a promptfoo configuration (https://promptfoo.dev/docs/configuration/reference).

promptfoo renders with Nunjucks, without trimming around blocks, renders the values of variables too, and loads those
that begin with `file://`. So blocks are trimmed here, and a case whose values could be taken for a template or a file
is left out: what a customer wrote stays text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from engine.errors import PromptError
from engine.llm.reply import described, schema_of
from engine.prompts import Prompt
from engine.replies import reply_of
from evals.tuning.cases import Case

SCHEMA = "# yaml-language-server: $schema=https://promptfoo.dev/config-schema.json\n"

_BLOCK_BEGINS = re.compile(r"(?m)^[ \t]+(?=\{[%#])")
_BLOCK_ENDS = re.compile(r"([%#]\})\n")
_UNSAFE = re.compile(r"\{[{%#]|\A(?:file|package):")
# The answer is a call of a tool; promptfoo hands it over as it came.
_REPLY = (
    "const given = typeof output === 'string' ? JSON.parse(output) : output;\n"
    "const called = (Array.isArray(given) ? given[0] : given).function.arguments;\n"
    "const reply = typeof called === 'string' ? JSON.parse(called) : called;\n"
)


@dataclass(frozen=True, slots=True)
class PromptfooFile:
    """A configuration as YAML, the number of cases in it, and the places of those that had to be left out."""

    text: str
    cases: int
    left_out: tuple[str, ...]


def promptfoo_file(prompt: Prompt, cases: Sequence[Case], *, model: str) -> PromptfooFile:
    """The configuration that asks `model` (a litellm name) each case, and checks the answer by its label.

    Raises PromptError for a prompt that asks for no reply.
    """
    reply = reply_of(prompt.name)
    if reply is None:
        raise PromptError(f"{prompt.name} is woven into other prompts; there is nothing to ask by itself")
    safe = [case for case in cases if not _is_unsafe(case)]
    schema = schema_of(described(reply, prompt.head.reply, where=prompt.ref))
    config = {
        "description": f"{prompt.name} {prompt.version} ({prompt.ref}): {prompt.head.description}",
        "prompts": [{"label": f"{prompt.name} {prompt.version}", "raw": _messages(prompt)}],
        "providers": [{"id": provider_of(model), "config": _asking(prompt, schema)}],
        "tests": [_test(case) for case in safe],
    }
    text = SCHEMA + yaml.dump(config, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return PromptfooFile(text, len(safe), tuple(case.place for case in cases if _is_unsafe(case)))


def provider_of(model: str) -> str:
    """promptfoo's name of a litellm model: `openai/gpt-x` is `openai:chat:gpt-x`; others keep their provider's name."""
    provider, _, name = model.rpartition("/")
    return f"{'openai:chat' if provider in ('', 'openai') else provider.replace('/', ':')}:{name}"


def nunjucks(template: str) -> str:
    """A template of ours for Nunjucks: the white space around blocks that Jinja takes out is taken out here."""
    return _BLOCK_ENDS.sub(r"\1", _BLOCK_BEGINS.sub("", template))


def _messages(prompt: Prompt) -> str:
    """As JSON: promptfoo renders the strings in it one by one, so that no value can open a message."""
    parts = [{"role": role, "content": nunjucks(part.source)} for role, part in prompt.sections.items()]
    return json.dumps(parts, ensure_ascii=False, indent=2)


def _asking(prompt: Prompt, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "temperature": prompt.head.temperature,
        "max_tokens": prompt.head.max_tokens,
        "tools": [{"type": "function", "function": json.loads(json.dumps(schema))}],
        "tool_choice": {"type": "function", "function": {"name": schema["name"]}},
    }


def _test(case: Case) -> dict[str, Any]:
    return {
        "description": f"{case.conversation_id} turn {case.turn}",
        "vars": dict(case.variables),
        "assert": [
            {"type": "javascript", "metric": metric, "value": f"{_REPLY}return {condition};"}
            for metric, condition in _conditions(case)
        ],
        "metadata": {"dataset": case.dataset, "conversation": case.conversation_id, "turn": case.turn},
    }


def _conditions(case: Case) -> Iterable[tuple[str, str]]:
    """What must hold of `reply`, by the name that promptfoo adds it up under."""
    expected: Mapping[str, Any] = case.expected
    if case.prompt == "extraction":
        for dimension in expected["said"]:
            yield dimension, f"reply.{dimension} != null"
    elif case.prompt == "question":
        for field in ("engagement_signal", "pain_depth"):
            yield field, f"reply.{field} === {json.dumps(expected[field])}"
        yield "question_type", f"{json.dumps(expected['question_types'])}.includes(reply.question_type)"
    else:
        for person in expected["people"]:
            named = json.dumps(person.casefold(), ensure_ascii=False)
            yield (
                "people",
                (
                    f"reply.people.some((own) => own.mentioned_name_or_role.toLowerCase().includes({named}) || "
                    f"{named}.includes(own.mentioned_name_or_role.toLowerCase()))"
                ),
            )


def _is_unsafe(case: Case) -> bool:
    texts = [value for value in case.variables.values() if isinstance(value, str)]
    people = case.expected.get("people", ())
    texts += [str(person) for person in people] if isinstance(people, list) else []
    return any(_UNSAFE.search(text) for text in texts)


def _text(dumper: Any, text: str) -> yaml.Node:
    node: yaml.Node = dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)
    return node


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks, as people write them; nothing by reference."""

    yaml_representers = {**yaml.SafeDumper.yaml_representers, str: _text}  # noqa: RUF012

    def ignore_aliases(self, data: Any) -> bool:
        return True
