"""Labelled turns as examples in a prompt: written into the text, named in the front matter.

The names are what keeps their conversations out of any evaluation of the prompt (`evals.matching`). The block of
examples stands between two comments, which no model sees, and is written anew as a whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import InputError, PromptError
from engine.model.conversation import Conversation
from engine.prompts import Prompt, read_prompt, transcript
from engine.prompts.rewriting import as_edited, with_list
from engine.prompts.template import literally
from evals.labels import TurnLabel
from evals.library import Dataset
from evals.tuning.sections import outline

PROMPTS = ("extraction", "question")  # those that labels say a right answer to
TURNS_SHOWN = 3  # up to and including the labelled one
CHARACTERS_SHOWN = 3_000
MAX_EXAMPLES = 20

BEGIN = "{# examples from labels; `qbs prompts examples` writes them anew #}"
END = "{# end of examples #}"

_BLOCK = re.compile(rf"\n?{re.escape(BEGIN)}.*?{re.escape(END)}\n?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled customer turn that a prompt shows."""

    dataset: str
    conversation: Conversation
    label: TurnLabel

    @property
    def place(self) -> str:
        """As the front matter names it."""
        return f"{self.dataset}/{self.conversation.id}/{self.label.turn}"


def example(dataset: Dataset, conversation_id: str, turn: int) -> Example:
    """Raises InputError if there is no such conversation, or the turn has no label."""
    conversation = dataset.conversation(conversation_id)
    labels = dataset.labels.get(conversation_id, {})
    if turn not in labels:
        labelled = ", ".join(str(number) for number in sorted(labels)) or "none"
        raise InputError(f"{conversation_id} turn {turn} of {dataset.name} has no label; labelled are: {labelled}")
    if re.search(r"[\s/]", dataset.name):
        raise InputError(f"a data set named {dataset.name!r} cannot be named in a prompt; rename its folder")
    return Example(dataset.name, conversation, labels[turn])


def with_examples(prompt: Prompt, examples: Sequence[Example]) -> bytes:
    """The prompt's file with these examples in place of those it had; with none, without any.

    They stand where the block stood, or at the end of the system section. Raises PromptError for a prompt to which
    labels say no answer.
    """
    if prompt.name not in PROMPTS:
        raise PromptError(f"labels say no answer to the prompt {prompt.name!r}; they do to: {', '.join(PROMPTS)}")
    if len(examples) > MAX_EXAMPLES:
        raise PromptError(f"{len(examples)} examples are too many; at most {MAX_EXAMPLES}")
    if not examples and not prompt.head.examples:
        return prompt.content
    named = with_list(prompt.content, "examples", [own.place for own in examples])
    block = _block(prompt.name, examples) if examples else ""
    changed = as_edited(_with_block(read_prompt(named, where=prompt.name), block), named)
    read_prompt(changed, where=prompt.name)
    return changed


def _with_block(prompt: Prompt, block: str) -> str:
    lines, heads = outline(prompt)
    text = "\n".join(lines)
    if found := _BLOCK.search(text):
        return text[: found.start()] + (f"\n{block}\n" if block else "\n") + text[found.end() :]
    if not block:
        return text
    first = next((number for number, name in heads if name == "system"), heads[0][0])
    end = next((number for number, _ in heads if number > first), len(lines))
    before, rest = "\n".join(lines[:end]).rstrip(), "\n".join(lines[end:])
    return f"{before}\n\n{block}\n{rest}"


def _block(name: str, examples: Sequence[Example]) -> str:
    shown = [f"Example {number}\n{_shown(own)}\n{_answer(name, own)}" for number, own in enumerate(examples, start=1)]
    return "\n".join((BEGIN, "# Examples, judged by people", "", literally("\n\n".join(shown)), END))


def _shown(own: Example) -> str:
    """The last turns as the transcript shows them, without its tags: those belong to the conversation at hand."""
    turns = own.conversation.turns[: own.label.turn + 1][-TURNS_SHOWN:]
    return "\n".join(transcript.render(turns, characters=CHARACTERS_SHOWN).split("\n")[1:-1])


def _answer(name: str, own: Example) -> str:
    label, turn = own.label, own.label.turn
    if name == "question":
        kinds = ", ".join(kind.value for kind in label.question_types)
        right = f"engagement_signal {label.engagement.value}, pain_depth {label.pain_depth.value}"
        return f"Right at [{turn}]: {right}, question_type any of {kinds}."
    if not label.dimensions:
        return f"Right: [{turn}] says nothing about any dimension."
    said = (f"{item.dimension.value} {_quoted(item.value)} by {_quoted(item.quote)}" for item in label.dimensions)
    return f"Right: [{turn}] says " + "; ".join(said) + "."


def _quoted(text: str) -> str:
    """On one line, whatever is in it."""
    return json.dumps(" ".join(text.split()), ensure_ascii=False)
