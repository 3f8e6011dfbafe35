"""What of a customer's message a seller can say back: one short clause, verbatim, that tells something."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from engine.rules.depth import Problem
from engine.rules.heard import Heard
from engine.rules.reading import MAX_QUOTE, gist
from engine.rules.sentence import Sentence, fold, word_set
from engine.wording import jargon

LEAST_WORDS, MOST_WORDS = 4, 12
HANDY_WORDS = (5, 8)
MOST_SENTENCES = 40  # of a very long message
GOOD_ENOUGH = 1.8  # for a clause that holds a problem or that something known rests on
TELLS_BY_ITSELF = 2.3  # for any other

_BREAK = re.compile(
    r"[,;:()!?…]+\s|\s[-–—]+\s|—|\.{2,}\s|\s(?=(?:but|because|so|while|although|though|which|who|when|where|if|unless"
    r"|except|since|until|and (?:i|we|he|she|they|it|that|there|then|the|one|nobody|now))\b)",
    re.IGNORECASE,
)
_WORD = re.compile(r"[\w'-]+")
_DOUBT = re.compile(r",? i (?:think|guess|suppose|believe)$", re.IGNORECASE)
_CANNOT_CLOSE = word_set("""
    and but or so because of to for with in on at by from as the a an my our i we is are was were if that which who
    whose where when than then about like it's i'm we're be been being will would can could every each some any very
    too just even mr mrs ms dr um uh oh like i'd i'll i've
""")
_CANNOT_OPEN = word_set("""
    of than who whose whom which um uh oh or as before until if where when why how let please don't do sorry here
    there's
""")
_VAGUE = word_set(
    "it that this he she they which who it's that's he's she's they're these those them its his her their"
)
_OWN = word_set("i i'm i've i'd my")
_ASIDE = word_set("hi hello dear thanks thank regards sorry greetings sincerely yours best apologies excuse hey out")
_TO_US = word_set("you your you're you've yours you'd you'll yourself u ur")
_UNSAYABLE = re.compile(
    r"[\"“”„<>{}\[\]()|@#*/\\_]|https?:|www\.|[\U0001f300-\U0001faff\u2600-\u27bf]|\b(?:lol|god|hell|damn|shit\w*)\b"
)
_SMALL_TALK = re.compile(
    r"\b(?:i (?:have|need|must) to (?:look|dash|move)|have to (?:go|run)|got to|gotta|i'm sorry|i'd have to|i'll be"
    r"|hang on|hold on|be surprised|it's not that|on leave|half term)\b|\. |^on paper\b"
)
_FILLER = re.compile(
    r",? (?:um|uh|well|you know|i mean|yes|yeah|no|okay|ok|right|say|like),|, (?:yes|yeah|no|okay|right)$"
)
# What was said in confidence, or with the wish that it goes no further.
_CONFIDED = re.compile(
    r"\b(?:don't|dont|do not|please not|not to|rather not)\s+(?:\w+\s+)?(?:quote|put|use|hold|tell|mention|share"
    r"|repeat|write|say)\b|\boff the record\b|\bbetween (?:us|you and me)\b|\bleave it at that\b|\bconfidential"
)
_TELLING = re.compile(
    r"\b(?:nobody|no one|never|always|every|still|only|nothing|again|by hand|whiteboard|paper|spreadsheet|outlook|half"
    r"|twice|anyone|too long|stopped|waiting|must|cannot|can't|won't|has to|have to)\b"
)


class Quotable(NamedTuple):
    """A clause as it stands in the message, how well it can be quoted, and what speaks for it."""

    text: str
    score: float
    is_problem: bool
    is_evidence: bool

    @property
    def needed(self) -> float:
        return GOOD_ENOUGH if self.is_problem or self.is_evidence else TELLS_BY_ITSELF


def best_quote(heard: Heard, evidence: Collection[str] = (), *, most_words: int = MOST_WORDS) -> Quotable | None:
    """The clause that tells most; None if none is worth it, or the message was told in confidence.

    `evidence` are quotes of this message that a dimension rests on; what holds a problem or evidence comes first.
    """
    if any(_CONFIDED.search(sentence.folded) for sentence in heard.sentences):
        return None
    told = [s for s in heard.sentences[:MOST_SENTENCES] if s.told and not _is_aside(s)]
    found = (quotable for sentence in told for quotable in _quotables(sentence, heard.problems, evidence, most_words))
    return max((q for q in found if q.score >= q.needed), key=lambda quotable: quotable.score, default=None)


def _is_aside(sentence: Sentence) -> bool:
    """Greetings, thanks and apologies say nothing about the customer's side."""
    first = sentence.folded.split(maxsplit=1)[0].strip(",.!")
    return first in _ASIDE


def _quotables(
    sentence: Sentence, problems: Sequence[Problem], evidence: Collection[str], most_words: int
) -> Iterator[Quotable]:
    text, folded = sentence.text, sentence.folded
    at = {problem.start for problem in problems if problem.sentence is sentence}
    is_evidence = any(folded in fold(quote) or fold(quote) in folded for quote in evidence)
    for start, end in _spans(text, most_words):
        clause, ends = sayable(text[start:end]), (start == 0) + (end == len(text))
        if clause is None or not LEAST_WORDS - (ends == 2) <= len(clause.split()) <= most_words:
            continue
        words = _WORD.findall(fold(clause))
        if words[0] not in _CANNOT_OPEN and _TO_US.isdisjoint(words):
            holds_problem = any(start <= position < end for position in at)
            yield Quotable(clause, _score(clause, ends, holds_problem, is_evidence), holds_problem, is_evidence)


def _spans(text: str, most_words: int) -> Iterator[tuple[int, int]]:
    """Clauses, and runs of clauses that may still be short enough."""
    cuts = [0, *(match.end() for match in _BREAK.finditer(text)), len(text)]
    for position, start in enumerate(cuts[:-1]):
        for end in cuts[position + 1 :]:
            if text.count(" ", start, end) > 2 * most_words:
                break
            yield start, end


def sayable(piece: str) -> str | None:
    """The piece without "so, um" before it and "I think" or punctuation after it; None if it cannot be said back."""
    bare = _DOUBT.sub("", gist(" ".join(piece.split()), limit=MAX_QUOTE))
    folded = fold(bare)
    words = _WORD.findall(folded)
    if not words or words[-1] in _CANNOT_CLOSE or "\n" in piece.strip():
        return None
    if _UNSAYABLE.search(folded) or _SMALL_TALK.search(folded):
        return None
    if _FILLER.search(folded) or jargon(bare):
        return None
    return bare


def _score(clause: str, ends: int, holds_problem: bool, is_evidence: bool) -> float:
    """2 for a problem, 1 for evidence, 1 for telling words, 0.3 for a figure, 0.5 for each kept end of the sentence.

    Less for a beginning that points outside the quote, for "I", for a colon, and for every word below five or above
    eight.
    """
    folded = fold(clause)
    words = folded.split()
    telling, figure = _TELLING.search(folded) is not None, any(character.isdigit() for character in clause)
    unclear = 0.8 * (words[0] in _VAGUE) + 0.6 * (words[0] in _OWN) + 0.8 * (":" in clause)
    unhandy = 0.1 * max(0, len(words) - HANDY_WORDS[1]) + 0.15 * max(0, HANDY_WORDS[0] - len(words))
    return 2.0 * holds_problem + 1.0 * (is_evidence + telling) + 0.3 * figure + 0.5 * ends - unclear - unhandy
