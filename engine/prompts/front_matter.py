"""The head of a prompt file: what it is for, how it is asked, what its variables mean. Strict YAML."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, StringConstraints, ValidationError, field_validator

from engine.errors import PromptError
from engine.model.value import Value

MAX_CHARACTERS = 30_000

ModelRole = Literal["reasoning", "fast"]
Description = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)]
TurnName = Annotated[str, StringConstraints(pattern=r"^[^/\s]{1,200}/[^/\s]{1,200}/[0-9]{1,6}$")]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,59}$")]


class FrontMatter(Value):
    """The head of a prompt file. `variables` says what each variable means; all and only these are used.

    `reply` maps fields of the reply schema to descriptions, `examples` are labelled turns as `<data set>/<id>/<turn>`.
    """

    name: Slug
    version: Slug
    description: str
    model_role: ModelRole | None = None  # None: text that is woven into another prompt
    temperature: float = Field(default=0.0, ge=0.0, le=2.0)
    max_tokens: int = Field(default=1024, ge=1, le=32_000)
    variables: dict[str, str] = Field(default_factory=dict)
    reply: dict[str, Description] = Field(default_factory=dict, max_length=100)
    examples: tuple[TurnName, ...] = Field(default=(), max_length=50)

    @field_validator("version", mode="before")
    @classmethod
    def _a_bare_number_is_text(cls, version: object) -> object:
        return str(version) if isinstance(version, int) else version


def read_front_matter(text: str, where: str) -> FrontMatter:
    """The front matter in `text`, whose first line is the second of the file `where`. Raises PromptError."""
    if len(text) > MAX_CHARACTERS:
        raise PromptError(
            f"{where}: the front matter has {len(text):,} characters; at most {MAX_CHARACTERS:,} are read"
        )
    try:
        outline = outline_of(text)
        given: Any = yaml.SafeLoader("").construct_document(outline) if outline is not None else None
        return FrontMatter.model_validate(given)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 2}" if error.problem_mark else ""
        raise PromptError(f"{where}{line}: front matter is not valid YAML: {error.problem}") from None
    except yaml.YAMLError:
        raise PromptError(f"{where}: front matter holds characters that YAML does not allow") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise PromptError(f"{where}{_place(text, first['loc'])}: {first['msg']}") from None
    except (ValueError, RecursionError):  # such as the date 2026-13-45, or a thousand brackets
        raise PromptError(f"{where}: front matter holds a value that YAML cannot read") from None


def outline_of(text: str) -> yaml.Node | None:
    """The nodes of some YAML with their places in `text`; None if it is empty. Raises yaml.YAMLError.

    References are refused: a few lines of them can stand for more than fits into memory. So is a key given twice, of
    which a lenient reader would keep the last.
    """
    loader = _StrictLoader(text)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


def entry_of(node: yaml.Node | None, keys: Iterable[str]) -> tuple[yaml.Node, yaml.Node] | None:
    """The nodes of the key and the value that these keys lead to, one inside the other; None if they lead nowhere."""
    found = None
    for key in keys:
        entries = node.value if isinstance(node, yaml.MappingNode) else []
        found = next((entry for entry in entries if entry[0].value == key), None)
        node = None if found is None else found[1]
    return found


class _StrictLoader(yaml.SafeLoader):
    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "references such as *name are not read; write it out", mark)
        node: yaml.Node | None = super().compose_node(parent, index)
        if isinstance(node, yaml.MappingNode):
            _check_keys(node)
        return node


def _check_keys(node: yaml.MappingNode) -> None:
    seen: set[str] = set()
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode) and key.value in seen:
            raise yaml.composer.ComposerError(None, None, f"{key.value!r} is given twice", key.start_mark)
        seen.add(str(key.value))


def _place(text: str, keys: tuple[int | str, ...]) -> str:
    """`, line 7: front matter, variables.who`; without the line where the key is not there."""
    names = [key for key in keys if isinstance(key, str)]
    found = entry_of(outline_of(text), names)
    line = f", line {text[: found[0].start_mark.index].count(chr(10)) + 2}" if found else ""
    return f"{line}: front matter, {'.'.join(str(key) for key in keys) or 'it'}"
