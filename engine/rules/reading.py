"""A message as sentences, each short enough that the work grows linearly with the message whatever the text is."""

from __future__ import annotations

import re

from engine.rules.hedges import addresses_the_machine, supposes
from engine.rules.sentence import Index, Sentence, fold, sentence_of, word_set

MAX_SENTENCE = 400
MAX_QUOTE = 240
WRAPPED_LINE = 60

_END = re.compile(r"[.!?\n]+[\"')\]]{0,3}")
_ABBREVIATIONS = word_set("""
    mr mrs ms dr prof st vs e.g i.e approx ca no nr inc ltd co corp jr sr etc resp dept fig jan feb mar apr jun
    jul aug sep sept oct nov dec
""")
_BREAK = re.compile(r"[,;:]\s|\s-\s|\s")
_CLAUSE = re.compile(
    r"[,;:]\s|[()]|\s-\s|\b(?:but|because|so|while|although|though|whereas|except"
    r"|and (?:i|we|he|she|they|it|that|there))\b"
)
_LEADING = re.compile(
    r"(?:\W+|(?:so|and|but|well|um+|uh+|er+|oh|ok|okay|yes|yeah|yep|no|right|ja|look|honestly|i mean|you know|also|then"
    r"|now|because|cos|since|to be (?:honest|frank|fair)|as i said|anyway|listen|hm+|ha)\b)+",
    re.IGNORECASE,
)


def read(text: str, *, wraps: bool = False, index: Index | None = None) -> tuple[Sentence, ...]:
    """The sentences of a message in order. Abbreviations and decimals do not end one.

    `wraps` says that long lines may be wrapped, as in email; elsewhere every line end ends a sentence. The sentences
    are looked up in `index`, if there is one, which makes it cheaper to look for phrases in them.
    """
    folded = fold(text)
    sentences: list[Sentence] = []
    for start, end in _spans(folded, wraps):
        sentence = sentence_of(text[start:end], folded[start:end], index)
        if not sentence.words:
            continue
        if supposes(sentence, after=sentences[-1] if sentences else None):
            sentence = sentence._replace(supposes=True)
        if addresses_the_machine(sentence):
            sentence = sentence._replace(to_machine=True)
        sentences.append(sentence)
    return tuple(sentences)


def clause_span(sentence: Sentence, at: int) -> tuple[int, int]:
    """The clause of a sentence that holds position `at`, as a span."""
    start, end = 0, len(sentence.folded)
    for boundary in _CLAUSE.finditer(sentence.folded):
        if boundary.end() <= at:
            start = boundary.end() if boundary.group()[0] in ",;:() -" else boundary.start()
        elif boundary.start() > at:
            end = boundary.start()
            break
    return start, end


def clause(sentence: Sentence, at: int) -> str:
    """The verbatim clause that holds position `at`."""
    start, end = clause_span(sentence, at)
    return sentence.text[start:end].strip()


def gist(text: str, limit: int = 110) -> str:
    """A clause as a value: on one line, without "so, um" before it and full stop after, at most `limit` characters."""
    flat = " ".join(text.split())
    leading = _LEADING.match(flat[:MAX_SENTENCE])
    bare = flat[leading.end() if leading else 0 :].strip(" .,;:!?-\"')(") or flat.strip(" .,;:!?")
    if len(bare) <= limit:
        return bare
    end = bare.rfind(" ", 0, limit)
    return bare[: end if end > 0 else limit].rstrip(" ,;:.-")


def quote(sentence: Sentence, at: int = 0) -> str:
    """A verbatim span of the sentence around `at`: all of it where it is short, else the clause, else a piece."""
    if len(sentence.text) <= MAX_QUOTE:
        return sentence.text
    start, end = clause_span(sentence, at)
    if not 20 <= end - start <= MAX_QUOTE:
        start = max(0, at - MAX_QUOTE // 2)
        start = sentence.text.find(" ", start, at) + 1 or start
        end = min(len(sentence.text), start + MAX_QUOTE)
    return sentence.text[start:end].strip()


def _spans(folded: str, wraps: bool) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    start = 0
    for mark in _END.finditer(folded):
        if _ends_sentence(folded, mark, wraps):
            _add(spans, folded, start, mark.end())
            start = mark.end()
    _add(spans, folded, start, len(folded))
    return spans


def _ends_sentence(folded: str, mark: re.Match[str], wraps: bool) -> bool:
    found, start, end = mark.group(), mark.start(), mark.end()
    if "\n" in found:
        return not (wraps and found == "\n" and _goes_on(folded, start))
    if folded[end : end + 1].strip():
        return False  # something follows without a space: a decimal, an address
    return found[0] != "." or len(found) > 1 or not _is_abbreviation(folded[max(0, start - 8) : start])


def _goes_on(folded: str, at: int) -> bool:
    """Whether a full line ends at `at` and the next one begins in the middle of a sentence."""
    before = folded[max(0, at - WRAPPED_LINE) : at]
    full = len(before) == WRAPPED_LINE and "\n" not in before and before[-1] not in ".!?:"
    return full and folded[at + 1 : at + 2].islower()


def _is_abbreviation(before: str) -> bool:
    """Whether what stands before a full stop ends in an abbreviation or a single letter."""
    last = before[before.rfind(" ") + 1 :].lstrip("(")
    return last in _ABBREVIATIONS or (len(last) == 1 and last.isalpha())


def _add(spans: list[tuple[int, int]], folded: str, start: int, end: int) -> None:
    """Append the span, in pieces of at most `MAX_SENTENCE` characters cut where it reads best."""
    while end - start > MAX_SENTENCE:
        limit = start + MAX_SENTENCE
        breaks = [found.end() for found in _BREAK.finditer(folded, start + MAX_SENTENCE // 2, limit)]
        piece_end = breaks[-1] if breaks else limit
        _append_stripped(spans, folded, start, piece_end)
        start = piece_end
    _append_stripped(spans, folded, start, end)


def _append_stripped(spans: list[tuple[int, int]], folded: str, start: int, end: int) -> None:
    piece = folded[start:end]
    left = len(piece) - len(piece.lstrip())
    right = len(piece) - len(piece.rstrip())
    if left + right < end - start:
        spans.append((start + left, end - right))
