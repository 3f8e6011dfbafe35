"""Strict templates: variables and conditions, nothing else, so that rendering is bounded by construction.

A template may print a variable and choose by `{% if %}` (with `and`, `or`, `not`, comparisons). Loops, calls,
filters, attributes and arithmetic are refused when the file is read; the sandbox is a second wall behind that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from engine.errors import PromptError

MAX_TEMPLATE_CHARACTERS = 60_000
MAX_RENDERED_CHARACTERS = 500_000

_OPENING = re.compile(r"\{(?=[{%#])")
_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.If,
    nodes.CondExpr,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Compare,
    nodes.Operand,
    nodes.Const,
)
_REFUSED: dict[type[nodes.Node], str] = {
    nodes.For: "loops",
    nodes.Call: "calls",
    nodes.Filter: "filters",
    nodes.FilterBlock: "filters",
    nodes.Test: "tests",
    nodes.Getattr: "attributes",
    nodes.Getitem: "items",
    nodes.Assign: "assignments",
    nodes.BinExpr: "arithmetic",
    nodes.Include: "includes",
    nodes.Macro: "macros",
}


class StrictTemplate:
    """One section of a prompt, parsed and checked.

    `source` is the text as it was written, `variables` maps each name that it uses to the line of the file where it is
    first used. `where` names the
    file and `line` the section's first line in it (from 1); both go into every error. Raises PromptError for
    a mistake in the syntax and for anything but variables and conditions.
    """

    def __init__(self, text: str, *, where: str, line: int = 1) -> None:
        self._where, self._line = where, line
        self.source = text
        if len(text) > MAX_TEMPLATE_CHARACTERS:
            raise PromptError(f"{where}: {len(text):,} characters; a prompt holds at most {MAX_TEMPLATE_CHARACTERS:,}")
        try:
            tree = _environment().parse(text)
            self._refuse_all_but_the_allowed(tree)
            self.variables = self._used(tree)
            self._template = _environment().from_string(text)
        except TemplateSyntaxError as error:
            raise PromptError(f"{where}, line {self._at(error.lineno)}: {error.message}") from None
        except (RecursionError, SyntaxError, MemoryError):
            raise PromptError(f"{where}, line {line}: conditions are nested too deeply") from None
        except PromptError:
            raise
        except ValueError:  # the sandbox refuses to read numbers of thousands of digits
            raise PromptError(f"{where}, line {line}: a number in the text is too long") from None

    def render(self, variables: Mapping[str, object]) -> str:
        """The text with every variable filled in. Raises PromptError when one is missing or it grows too long."""
        parts: list[str] = []
        size = 0
        try:
            for part in self._template.generate(variables):
                size += len(part)
                if size > MAX_RENDERED_CHARACTERS:
                    raise PromptError(f"{self._where}: rendered, it exceeds {MAX_RENDERED_CHARACTERS:,} characters")
                parts.append(part)
        except (TemplateError, TypeError) as error:  # TypeError: a text compared with a number
            raise PromptError(f"{self._where}: {error}") from error
        return "".join(parts)

    def _refuse_all_but_the_allowed(self, tree: nodes.Template) -> None:
        for node in tree.find_all(nodes.Node):
            if not isinstance(node, _ALLOWED):
                what = next((name for kind, name in _REFUSED.items() if isinstance(node, kind)), "anything else")
                raise PromptError(
                    f"{self._where}, line {self._at(node.lineno)}: {what} cannot be used in a prompt;"
                    " it prints variables and chooses by {% if %}"
                )

    def _used(self, tree: nodes.Template) -> dict[str, int]:
        lines: dict[str, int] = {}
        for node in tree.find_all(nodes.Name):
            lines.setdefault(node.name, self._at(node.lineno))
        return {name: lines.get(name, self._line) for name in sorted(meta.find_undeclared_variables(tree))}

    def _at(self, line: int) -> int:
        return self._line + line - 1


def literally(text: str) -> str:
    """What prints `text` in a template, whatever it looks like: what a customer wrote is never a template."""
    return _OPENING.sub('{{ "{" }}', text)


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        autoescape=False,  # plain text for a model, not HTML
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.clear()
    return environment
