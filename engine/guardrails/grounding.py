"""What an extraction may claim: evidence is a verbatim quote of one customer turn, or confidence is capped."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

from engine.model.analysis import GuardrailChange, GuardrailRule
from engine.model.conversation import Speaker, Turn
from engine.model.qualification import AnySignal, Dimension, Evidence, QualificationState, qualification_from

UNGROUNDED_CAP = 0.4

GROUNDING_RULES: tuple[GuardrailRule, ...] = ("ungrounded_evidence", "addresses_the_machine")

_ADDRESSES_MACHINE = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b[^.!?\n]{0,40}\b(?:instructions?|prompts?|rules|guidelines|above)\b"
    r"|\b(?:you are|act as|pretend to be|behave as)\b[^.!?\n]{0,30}"
    r"\b(?:an? (?:ai|assistant|bot|language model|llm)|in \w+ mode)\b"
    r"|\b(?:system|developer) ?prompt\b|^[^\S\n]*(?:system|assistant|developer)[^\S\n]*:"
    r"|<\|?/?(?:system|im_start|im_end|assistant)\|?>|\[/?(?:INST|SYSTEM)\]"
    r"|\b(?:mark|set|flag|record|classify|score|rate)\b[^.!?\n]{0,30}"
    r"\b(?:budget|authority|need|timeline|champion|deal|lead|opportunity|confidence|qualified)\b"
    r"[^.!?\n]{0,20}\b(?:as|to|approved|confirmed|qualified|won|100)\b",
    re.IGNORECASE | re.MULTILINE,
)


@lru_cache(maxsize=512)
def addresses_the_machine(text: str) -> bool:
    """Whether a message tries to instruct the software that reads it, rather than the person."""
    return _ADDRESSES_MACHINE.search(_plain(text)) is not None


@lru_cache(maxsize=512)
def normalised(text: str) -> str:
    """Text for comparing quotes: Unicode NFKC, typographic quotes and dashes made plain, white space folded.

    What nobody sees (soft hyphens, zero-width spaces, marks of writing direction) is left out.
    """
    return " ".join(_plain(text).split()).casefold()


def _plain(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFKC", text).translate(_PLAIN)


_PLAIN: dict[int, str | None] = str.maketrans(
    dict.fromkeys("‘’‚‛ʼ‹›", "'")
    | dict.fromkeys("“”„‟«»", '"')
    | dict.fromkeys("‐‑‒–—―−", "-")
    | dict.fromkeys("\u00ad\u061c\u200b\u200c\u200d\u200e\u200f\u2060\ufeff")  # unseen
    | dict.fromkeys("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # marks of writing direction
)
_SELLER_QUOTED = re.compile(r"^[^\S\n]*>.*$", re.MULTILINE)  # how mail programs show the message that is answered


def located(evidence: Evidence, turns: Sequence[Turn]) -> Evidence | None:
    """The evidence, pinned to the customer turn that holds the quote; None if no customer turn does.

    `turns` are searched newest first, the turn that the evidence names before all others. A quote is made of whole
    words, and lines that begin with ">" are not the customer's.
    """
    wanted = normalised(evidence.quote).strip(" \"'.…")
    if not wanted:
        return None
    named = [turn for turn in turns if turn.index == evidence.turn]
    for turn in (*named, *reversed(turns)):
        if turn.speaker is Speaker.CUSTOMER and _says(turn.text, wanted):
            return evidence if turn.index == evidence.turn else evidence.model_copy(update={"turn": turn.index})
    return None


def _says(text: str, wanted: str) -> bool:
    """Whether the message holds the words: "no" is not in "now"."""
    own = normalised(_SELLER_QUOTED.sub("", text) if ">" in text else text)
    start = own.find(wanted)
    while start >= 0:
        end = start + len(wanted)
        if not (_inside_a_word(own, start) or _inside_a_word(own, end)):
            return True
        start = own.find(wanted, start + 1)
    return False


def _inside_a_word(text: str, position: int) -> bool:
    """Whether a word of Latin letters or a number goes on across `position`; other scripts may have no spaces."""
    around = text[max(0, position - 1) : position + 1]
    return position > 0 and len(around) == 2 and around.isascii() and around.isalnum()


def guard_extraction(
    found: QualificationState,
    turn: Turn,
    history: Sequence[Turn],
    rules: Collection[GuardrailRule] = GROUNDING_RULES,
) -> tuple[QualificationState, tuple[GuardrailChange, ...]]:
    """The extraction with every signal grounded or capped, and what was changed."""
    turns = (*history, turn)
    guarded = {
        dimension: _guard_signal(dimension, found.signal(dimension), turns, rules) for dimension in found.identified
    }
    if all(signal is found.signal(dimension) for dimension, (signal, _) in guarded.items()):
        return found, ()
    signals = {**found.signals, **{dimension: signal for dimension, (signal, _) in guarded.items()}}
    changes = tuple(change for _, change in guarded.values() if change is not None)
    return _with_signals(found, signals), changes


def _guard_signal(
    dimension: Dimension, signal: AnySignal, turns: Sequence[Turn], rules: Collection[GuardrailRule]
) -> tuple[AnySignal, GuardrailChange | None]:
    kept = tuple(item for quoted in signal.evidence if (item := located(quoted, turns)) is not None)
    if not kept:
        if "ungrounded_evidence" not in rules:
            return signal, None
        return _capped(dimension, signal, kept, "ungrounded_evidence", "no quote is found in a customer turn")
    quoted_turns = {item.turn for item in kept}
    instructs = any(turn.index in quoted_turns and addresses_the_machine(turn.text) for turn in turns)
    if instructs and "addresses_the_machine" in rules:
        reason = "the quoted message tries to instruct the machine"
        return _capped(dimension, signal, kept, "addresses_the_machine", reason)
    return (signal if kept == signal.evidence else signal.model_copy(update={"evidence": kept})), None


def _capped(
    dimension: Dimension, signal: AnySignal, evidence: tuple[Evidence, ...], rule: GuardrailRule, reason: str
) -> tuple[AnySignal, GuardrailChange]:
    confidence = min(signal.confidence, UNGROUNDED_CAP)
    change = GuardrailChange(
        rule=rule,
        subject=dimension,
        before=f"confidence {signal.confidence:.2f}",
        after=f"confidence {confidence:.2f}, ungrounded",
        reason=reason,
    )
    return signal.model_copy(update={"confidence": confidence, "evidence": evidence, "grounded": False}), change


def _with_signals(found: QualificationState, signals: Mapping[Dimension, AnySignal]) -> QualificationState:
    replaced = qualification_from(signals)
    return found.model_copy(update={"bant": replaced.bant, "meddic": replaced.meddic})
