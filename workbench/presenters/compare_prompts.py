"""What two runs asked their models at a turn, word by word where it differs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from engine.errors import PromptError
from engine.model.context import ConversationContext
from engine.model.conversation import Conversation
from engine.prompts import (
    ANALYSIS_PROMPTS,
    PromptLibrary,
    RenderedPrompt,
    build_expansion_detection_prompt,
    build_qbs_analysis_prompt,
    build_qualification_extraction_prompt,
    render_recent_turns,
)
from evals.records import TurnRecord, Variant
from evals.tuning.word_diff import Piece, word_difference

TITLES = {"extraction": "Qualification", "question": "Question", "expansion": "People"}


@dataclass(frozen=True, slots=True)
class PromptDifference:
    """One of the three prompts of a turn in two runs. `said` says in words how they compare.

    `pieces` are empty where they are equal or cannot be compared.
    """

    title: str
    refs: tuple[str | None, str | None]
    said: str
    pieces: tuple[Piece, ...] = ()


@dataclass(frozen=True, slots=True)
class AskedSide:
    """A run at a turn: what it is called, what answered, and its record."""

    name: str
    variant: Variant
    record: TurnRecord


def prompt_differences(
    first: AskedSide, second: AskedSide, conversation: Conversation, library: PromptLibrary
) -> tuple[PromptDifference, ...]:
    """All three prompts as both runs sent them; those that neither sent are left out."""
    return tuple(_difference(name, first, second, conversation, library) for name in _asked(first, second))


def _asked(first: AskedSide, second: AskedSide) -> list[str]:
    return [name for name in ANALYSIS_PROMPTS if name in first.variant.prompts or name in second.variant.prompts]


def _difference(
    name: str, first: AskedSide, second: AskedSide, conversation: Conversation, library: PromptLibrary
) -> PromptDifference:
    refs = (_ref(name, first.variant), _ref(name, second.variant))
    title = TITLES[name]
    for side, ref in zip((first, second), refs, strict=True):
        if ref is None:
            return PromptDifference(title, refs, f"{side.name} asked no model, so there is no prompt to compare with.")
    texts = [_text(name, side, conversation, library) for side in (first, second)]
    for side, text in zip((first, second), texts, strict=True):
        if text is None:
            said = f"The version that {side.name} was asked with is not here, so what was sent cannot be shown."
            return PromptDifference(title, refs, said)
    pieces = word_difference(texts[0] or "", texts[1] or "")
    if not pieces:
        return PromptDifference(title, refs, "Both were sent the same words.")
    cause = "the prompt itself differs" if refs[0] != refs[1] else "same prompt; the state that it shows differs"
    return PromptDifference(title, refs, f"What was sent differs: {cause}.", pieces)


def _ref(name: str, variant: Variant) -> str | None:
    digest = variant.prompts.get(name)
    return None if digest is None else f"{name}@{digest[:8]}"


def _text(name: str, side: AskedSide, conversation: Conversation, library: PromptLibrary) -> str | None:
    """The prompt as it was sent at this turn; None if its version is not known any more."""
    try:
        prompt = library.find(f"{name}@{side.variant.prompts[name]}")
        rendered = _BUILDERS[name](side.record, conversation, library.using(prompt))
    except PromptError:
        return None
    return "\n\n".join(f"{message['role']}: {message['content']}" for message in rendered.messages)


def _extraction(record: TurnRecord, conversation: Conversation, library: PromptLibrary) -> RenderedPrompt:
    context, turn = ConversationContext.of_state(record.before), conversation.turns[record.turn]
    return build_qualification_extraction_prompt(context, turn, conversation.before(record.turn), prompts=library)


def _question(record: TurnRecord, conversation: Conversation, library: PromptLibrary) -> RenderedPrompt:
    turn = conversation.turns[record.turn]
    return build_qbs_analysis_prompt(record.before, turn, conversation.before(record.turn), prompts=library)


def _expansion(record: TurnRecord, conversation: Conversation, library: PromptLibrary) -> RenderedPrompt:
    context = ConversationContext.of_state(record.before)
    text = render_recent_turns(conversation.turns[: record.turn + 1])
    return build_expansion_detection_prompt(text, context.known_contacts, context, prompts=library)


_BUILDERS: Mapping[str, Callable[[TurnRecord, Conversation, PromptLibrary], RenderedPrompt]] = {
    "extraction": _extraction,
    "question": _question,
    "expansion": _expansion,
}
