"""Reading a message as a seller would say it: its questions, and words that no customer should hear."""

from __future__ import annotations

import re
from functools import lru_cache

ECHO_WORDS = 4

# A sentence ends at its punctuation unless the text goes on in lower case ('asked "why?" and left', 'e.g. at night'),
# which a bare question mark does not prevent ("who? and when?"), or at a line end.
_SENTENCE = re.compile(
    r"(?:[^.!?…\n]|[.!?…]+[\"'”’)\]]*(?!\s|$)|(?:[.!…]+[\"'”’)\]]*|[.!?…]+[\"'”’)\]]+)(?=\s+[a-z]))*"
    r"(?:[.!?…]+[\"'”’)\]]*|\n|$)"
)
_WIDE_MARKS = re.compile("[？؟]")  # of scripts that have their own
_ASKS = re.compile(r"\?[!?.…]*[\"'”’)\]]*$")
# A short sentence that begins so is a question of its own and no echo of what was said.
_OPENS_A_QUESTION = re.compile(
    r"(?:(?:and|so|or|but) )?(?:who|whom|whose|what|when|where|which|why|how|by when|is|are|do|does|did|can|could|would"
    r"|will|should|have|has)\b",
    re.IGNORECASE,
)

# What the methodology calls it, and what a person would say.
JARGON: tuple[tuple[str, str], ...] = (
    (r"pain[ -]points?", "problems"),
    (r"pain funnel", "problem"),
    (r"economic buyer", "person who releases the money"),
    (r"decision criteria", "things that decide the choice"),
    (r"decision process", "way to a decision"),
    (r"value propositions?", "benefit"),
    (r"buying committee", "people involved in the decision"),
    (r"key stakeholders?", "people involved"),
    (r"internal champion", "person who would speak for this inside"),
    (r"identified pain", "problem"),
    (r"discovery (?:call|process)", "conversation"),
)
_REPLACED = tuple((re.compile(rf"\b{pattern}\b", re.IGNORECASE), plain) for pattern, plain in JARGON)
_UNSPEAKABLE = re.compile(
    r"\b(?:BANT|MEDDP?ICC?|QBS|Chris Voss|calibrated questions?|accusation audits?|pain depth"
    r"|qualification framework)\b",
    re.IGNORECASE,
)
_ANY_JARGON = re.compile(
    "|".join((*(pattern.pattern for pattern, _ in _REPLACED), _UNSPEAKABLE.pattern)), re.IGNORECASE
)


def shortened(text: str, limit: int) -> str:
    """The text on one line, cut at a word with an ellipsis if it is longer than `limit` characters."""
    flat = " ".join(text.split())
    if len(flat) <= limit:
        return flat
    whole_words = flat[:limit].rsplit(" ", 1)[0] if " " in flat[:limit] else flat[: limit - 1]
    return whole_words.rstrip(" ,;:-") + "…"


def sentences(text: str) -> tuple[str, ...]:
    """The sentences of a message, each with its closing punctuation, stripped."""
    return tuple(part for match in _SENTENCE.finditer(text) if (part := match.group().strip()))


@lru_cache(maxsize=1024)
def questions(text: str) -> tuple[str, ...]:
    """The sentences that ask. A short echo ("Three weeks?") counts only where nothing else asks."""
    text = _with_plain_marks(text)
    if "?" not in text:
        return ()
    asking = tuple(sentence for sentence in sentences(text) if _ASKS.search(sentence))
    return tuple(sentence for sentence in asking if not is_echo(sentence)) or asking[-1:]


def _with_plain_marks(text: str) -> str:
    return _WIDE_MARKS.sub("? ", text)


def is_echo(sentence: str) -> bool:
    """Whether a sentence is so short that it says words back ("Three weeks?") rather than asks something new."""
    return len(sentence.split()) <= ECHO_WORDS and not _OPENS_A_QUESTION.match(sentence)


def first_question_only(text: str) -> str:
    """The message up to and including its first real question; statements that follow a later one go too."""
    asked = questions(text)
    if len(asked) <= 1:
        return text
    text = _with_plain_marks(text)
    end = text.index(asked[0]) + len(asked[0])
    return text[:end].rstrip()


def jargon(text: str) -> tuple[str, ...]:
    """The methodology's words in a message."""
    return tuple(match.group() for match in _ANY_JARGON.finditer(text))


def without_jargon(text: str) -> str | None:
    """The message in plain words; None where no plain word would do."""
    if _UNSPEAKABLE.search(text):
        return None
    for pattern, plain in _REPLACED:
        text = pattern.sub(plain, text)
    return text
