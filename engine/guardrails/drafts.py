"""What a drafted reply may say: value before its one question, plain words, nothing to fill in, no longer than fits."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from engine import memory
from engine.guardrails.grounding import addresses_the_machine
from engine.letters import Letter, Paragraph, is_greeting, letter_of
from engine.model.analysis import GuardrailChange, GuardrailRule
from engine.model.conversation import Channel
from engine.model.qbs import QBSQuestionRecommendation
from engine.wording import is_echo, jargon, questions, without_jargon

# Words between greeting and sign-off. The prompts ask for less; beyond this nobody reads to the question.
MOST_WORDS = {Channel.EMAIL: 160, Channel.CHAT: 60, Channel.CALL: 80}
PASSES = 2  # where a sentence is left out, its neighbours may read as one, and what holds for that one is seen then
PLAIN_VALUE = "Thank you, that helps me."

_PLACEHOLDER = re.compile(
    r"\[[^\]\n]{1,80}\]|\{[^{}\n]{1,80}\}|<[^<>\n@]{1,60}>|\bX{2,}\b|_{3,}|\b(?:[Ll]orem ipsum|TBD)\b"
)


class GuardedDraft(NamedTuple):
    """The text that may be shown, what was changed, and whether nothing was left of what was proposed."""

    text: str
    changes: tuple[GuardrailChange, ...]
    replaced: bool


@dataclass(frozen=True, slots=True)
class _Frame:
    """What a draft is held against: the recommendation it carries, the channel, and the draft to fall back on."""

    recommendation: QBSQuestionRecommendation
    channel: Channel
    instead: Letter

    @property
    def question(self) -> str:
        """The recommended question; empty where none is to be asked."""
        return next(iter(questions(self.recommendation.suggested_question)), "")

    @property
    def opening(self) -> str:
        """Something of value to begin with."""
        return next((text for text in self.instead.said if _is_value(text)), PLAIN_VALUE)

    def whole(self, letter: Letter) -> Letter:
        """The letter with everything between greeting and sign-off from the draft to fall back on."""
        asks = bool(self.question)
        sayable = self.instead.keeping(lambda text: _is_value(text) or (asks and _asks(self.instead, text)))
        if sayable.said and _is_value(sayable.said[0]):
            return replace(letter, paragraphs=sayable.paragraphs)
        asked = ((self.question,),) if self.question else ()
        return replace(letter, paragraphs=((PLAIN_VALUE,), *asked))


# A rule answers None where it has nothing to change, else the changed letter and why.
_Outcome = tuple[Letter, str] | None
_Rule = Callable[[_Frame, Letter], _Outcome]


def guard_draft(
    text: str, *, recommendation: QBSQuestionRecommendation, channel: Channel, instead: Letter
) -> GuardedDraft:
    """The draft as it may be shown: each rule in turn, on what the rule before it left.

    `recommendation` is the guarded one that the draft carries, `instead` the draft by rules: its greeting, sign-off
    and first sentence stand in where the proposed ones cannot be used. A draft with nothing to change keeps every
    character.
    """
    frame, letter, changes = _Frame(recommendation, channel, instead), letter_of(text), []
    for name, rule in [*_RULES.items()] * PASSES:
        if (outcome := rule(frame, letter)) is not None:
            changed, reason = outcome
            changes.append(
                GuardrailChange(rule=name, subject="draft", before=letter.text, after=changed.text, reason=reason)
            )
            letter = letter_of(changed.text)
    replaced = bool(changes) and letter.paragraphs == frame.whole(letter).paragraphs
    return GuardedDraft(letter.text if changes else text.strip(), tuple(changes), replaced)


def _machine(frame: _Frame, letter: Letter) -> _Outcome:
    kept = letter.keeping(lambda sentence: not addresses_the_machine(sentence))
    return None if kept == letter else (kept, "words meant for software were carried over")


def _placeholder(frame: _Frame, letter: Letter) -> _Outcome:
    if not _PLACEHOLDER.search(letter.text):
        return None
    filled = replace(
        letter.keeping(lambda sentence: not _PLACEHOLDER.search(sentence)),
        greeting=frame.instead.greeting if _PLACEHOLDER.search(letter.greeting) else letter.greeting,
        sign_off=frame.instead.sign_off if _PLACEHOLDER.search(letter.sign_off) else letter.sign_off,
    )
    return filled, "something was left to be filled in"


def _plain_words(frame: _Frame, letter: Letter) -> _Outcome:
    words = jargon(letter.text)
    if not words:
        return None
    plain = tuple(tuple(filter(None, map(_in_plain_words, paragraph))) for paragraph in letter.paragraphs)
    changed = replace(letter, paragraphs=tuple(paragraph for paragraph in plain if paragraph))
    return changed, f"the methodology's words: {', '.join(sorted(set(words)))}"


def _in_plain_words(sentence: str) -> str:
    """The sentence without the methodology's words; empty where no plain word would do."""
    return (without_jargon(sentence) or "") if jargon(sentence) else sentence


def _no_question(frame: _Frame, letter: Letter) -> _Outcome:
    if frame.question or not _asked(letter):
        return None
    return letter.keeping(lambda sentence: not questions(sentence)), "no question is to be asked now"


def _one_question(frame: _Frame, letter: Letter) -> _Outcome:
    asked = [sentence for sentence in letter.said if _asks(letter, sentence)]
    if len(asked) <= 1:
        return None
    wanted = memory.fingerprint(frame.question)
    recommended = (sentence for sentence in asked if memory.fingerprint(sentence) == wanted)
    after_value = (sentence for sentence in asked if sentence != letter.said[0])
    kept = next(recommended, None) or next(after_value, asked[0])
    dropped = list(asked)
    dropped.remove(kept)
    return _without(letter, dropped), f"{len(asked)} questions in one message"


def _without(letter: Letter, dropped: Sequence[str]) -> Letter:
    """The letter without these sentences, each as often as it is named."""
    left = list(dropped)

    def stays(sentence: str) -> bool:
        if sentence not in left:
            return True
        left.remove(sentence)
        return False

    return letter.keeping(stays)


def _value_first(frame: _Frame, letter: Letter) -> _Outcome:
    said = [sentence for sentence in letter.said if not is_greeting(sentence)]
    if not said:
        return frame.whole(letter), "nothing was left to say"
    if not _asks(letter, said[0]) or is_echo(said[0]):  # their own words said back are a reflection
        return None
    opening: Paragraph = (frame.opening,)
    greeted = tuple(sentence for sentence in letter.said[:1] if is_greeting(sentence))
    rest = letter.keeping(lambda sentence: sentence not in greeted).paragraphs
    if frame.channel is Channel.EMAIL:
        return replace(letter, paragraphs=((*greeted, *opening), *rest)), "it opens with a question"
    return replace(letter, paragraphs=((*greeted, *opening, *rest[0]), *rest[1:])), "it opens with a question"


def _length(frame: _Frame, letter: Letter) -> _Outcome:
    most, before = MOST_WORDS[frame.channel], letter.word_count
    if before <= most:
        return None
    reason = f"{before} words; {most} are the most for {frame.channel}"
    keep = {letter.said[0], *(sentence for sentence in letter.said if _asks(letter, sentence))}
    for sentence in [said for said in reversed(letter.said) if said not in keep]:
        letter = _without(letter, (sentence,))
        if letter.word_count <= most:
            return letter, reason
    return frame.whole(letter), reason


_RULES: dict[GuardrailRule, _Rule] = {
    "addresses_the_machine": _machine,
    "placeholder": _placeholder,
    "jargon": _plain_words,
    "back_off": _no_question,
    "one_question": _one_question,
    "value_first": _value_first,
    "too_long": _length,
}


def _asked(letter: Letter) -> tuple[str, ...]:
    """The questions of the body; a short echo of the customer's words is none where something else asks."""
    return questions("\n".join(letter.said))


def _asks(letter: Letter, sentence: str) -> bool:
    return any(asked in sentence for asked in _asked(letter))


def _is_value(sentence: str) -> bool:
    """Whether a sentence gives or reflects something, and may be said."""
    barred = addresses_the_machine(sentence) or _PLACEHOLDER.search(sentence) or jargon(sentence)
    return not (barred or questions(sentence) or is_greeting(sentence))
