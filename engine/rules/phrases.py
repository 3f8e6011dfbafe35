"""Lists of phrases, written as people say them and looked for in sentences.

A list is a text with one phrase a line, or several with ` | ` between them. In a phrase

    word            is that word, `we're` also `were` without its apostrophe
    stem*   *ing    is any word that begins or ends so
    one/two/th*     is one of several, `in_time` several words in the place of one
    [word]          may be missing
    *  and  **      are any one word, and none to three
    ...             is anything up to 30 characters within the sentence
    #               is a number, with its currency sign
    ~go/leave       at the end: but not if one of these follows
    ^word           at the beginning: only where the sentence begins

Nothing is compiled before it is first needed. Each phrase is kept under its rarest word and looked for only in
sentences that hold this word, which makes it cheap to have many; the patterns are free of nested repetition, so that no
text makes them slow.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property

from engine.rules.sentence import STEM_LETTERS, Sentence, word_set

_SPACE = " +"
_ANY_WORD = r"[^\s,;:.!?()]+"
_NUMBER = r"[$€£¥₹]? ?\d[\d.,]*\w*"

# Words that stand in every other sentence, and words that stand in many: looked for only where nothing rarer will do.
_EVERYWHERE = word_set("""
    a and are as at be but do don't for from had has have he i in is it it's its not of on or she so that the
    their there they this to was we were what will with would you your
""")
_FREQUENT = word_set("""
    about all am an any ask been by can could did does doing done get go got her him his how i'd i'll i'm i've if
    into just know let like made make me more my need no now off one only our out over put said say see should
    some take tell than that's them then there's these thing time too up us use want way we'd we'll we're we've
    week well what's when where which who why work year yes you're
""")


class Phrases:
    """One list of phrases. Raises ValueError at first use for a stem too short to be looked for cheaply."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._compiled: dict[str, re.Pattern[str]] = {}

    def find(self, sentence: Sentence) -> re.Match[str] | None:
        """The first phrase that the sentence holds; the longest of those that begin there."""
        held = sentence.held
        keys = self._keys & sentence.keys if held is None else held.get(self)
        first = None
        for key in keys or ():
            match = _search(self._compiled.get(key) or self._compile(key), sentence.folded)
            if match is not None and (first is None or _comes_first(match, first)):
                first = match
        return first

    def are_in(self, sentence: Sentence) -> bool:
        """Whether the sentence holds any of them."""
        held = sentence.held
        keys = self._keys & sentence.keys if held is None else held.get(self)
        for key in keys or ():  # noqa: SIM110  (a generator would cost as much as the search)
            if _search(self._compiled.get(key) or self._compile(key), sentence.folded):
                return True
        return False

    def every(self, sentence: Sentence) -> list[re.Match[str]]:
        """All phrases that the sentence holds, in order."""
        held = sentence.held
        keys = self._keys & sentence.keys if held is None else held.get(self)
        patterns = [self._compiled.get(key) or self._compile(key) for key in keys or ()]
        folded = sentence.folded
        found = [m for pattern in patterns for m in pattern.finditer(folded) if _begins_word(folded, m.start())]
        return found if len(found) < 2 else sorted(found, key=re.Match.span)

    @property
    def keys(self) -> frozenset[str]:
        """One of these is among the keys of any sentence that holds a phrase."""
        return self._keys

    def _compile(self, key: str) -> re.Pattern[str]:
        patterns = "|".join(_regex(phrase) for phrase in self._by_key[key])
        compiled = self._compiled[key] = re.compile(rf"(?:{patterns})(?!\w)")
        return compiled

    @cached_property
    def _keys(self) -> frozenset[str]:
        return frozenset(self._by_key)

    @cached_property
    def _by_key(self) -> dict[str, list[str]]:
        """The phrases under each word, or first letters of a word, one of which stands in any text that holds them."""
        phrases: dict[str, list[str]] = defaultdict(list)
        for line in self._text.splitlines():
            for phrase in filter(None, map(str.strip, line.split(" | "))):
                for key in dict.fromkeys(key for choice in _rarest_slot(phrase) for key in _keys_of(choice)):
                    phrases[key].append(phrase)
        return dict(phrases)


class PhraseIndex:
    """Many lists as one: says with a single look at the words of a sentence which of the lists may matter."""

    def __init__(self, lists: Iterable[Phrases]) -> None:
        self.lists = tuple(lists)
        self._lists: dict[str, list[Phrases]] = defaultdict(list)
        for phrases in self.lists:
            for key in phrases.keys:
                self._lists[key].append(phrases)
        self._keys = frozenset(self._lists)

    def held(self, keys: frozenset[str]) -> dict[object, list[str]]:
        """The lists that may matter to a sentence with these keys, each with those of its keys that are there."""
        held: dict[object, list[str]] = {}
        for key in self._keys & keys:
            for phrases in self._lists[key]:
                if phrases in held:
                    held[phrases].append(key)
                else:
                    held[phrases] = [key]
        return held


def _search(pattern: re.Pattern[str], folded: str) -> re.Match[str] | None:
    """The first match that begins a word. Asked afterwards, not in the pattern, the search is several times faster."""
    match = pattern.search(folded)
    while match is not None and not _begins_word(folded, match.start()):
        match = pattern.search(folded, match.start() + 1)
    return match


def _begins_word(folded: str, at: int) -> bool:
    return at == 0 or not (folded[at - 1].isalnum() or folded[at - 1] in "_'")


def _comes_first(match: re.Match[str], other: re.Match[str]) -> bool:
    return (match.start(), -match.end()) < (other.start(), -other.end())


def holding(sentences: Iterable[Sentence], *lists: Phrases) -> list[Sentence]:
    """The sentences that may hold a phrase of one of the lists."""
    return [sentence for sentence in sentences if sentence.held is None or not sentence.held.keys().isdisjoint(lists)]


def _regex(phrase: str) -> str:
    """The pattern of one phrase."""
    pattern, joined = "^" if phrase[0] == "^" else "", True  # joined: the next word needs no space before it
    for part in phrase.removeprefix("^").split():
        if part == "...":
            pattern, joined = pattern + r"\b[^.;!?]{0,30}?\b", True
        elif part == "**":
            pattern += rf"(?:{_SPACE}{_ANY_WORD}){{0,3}}?"
        elif part.startswith("~"):
            pattern += rf"(?!{_SPACE}{_choices(part[1:])}(?!\w))"
        elif part.startswith("["):
            slot = _choices(part[1:-1])
            pattern += rf"(?:{slot}{_SPACE})?" if joined else rf"(?:{_SPACE}{slot})?"
        else:
            pattern, joined = pattern + ("" if joined else _SPACE) + _choices(part), False
    return pattern


def _choices(part: str) -> str:
    choices = [_word(choice) for choice in part.split("/")]
    return choices[0] if len(choices) == 1 else f"(?:{'|'.join(choices)})"


def _word(word: str) -> str:
    if word == "*":
        return _ANY_WORD
    if word == "#":
        return _NUMBER
    literal = re.escape(word.strip("*")).replace("_", _SPACE).replace("'", "'?")
    return (r"\w+" if word.startswith("*") else "") + literal + (r"\w*" if word.endswith("*") else "")


def _rarest_slot(phrase: str) -> list[str]:
    """The choices of the slot to look for: one that has to be there, of words as rare and as long as there are."""
    slots = [part.split("/") for part in phrase.removeprefix("^").split() if part[0] not in "[~*.#"]
    slots = [slot for slot in slots if not any(choice[0] in "*#" for choice in slot)]
    if not slots:
        raise ValueError(f"{phrase!r}: a phrase needs a word that has to be there")
    return min(slots, key=lambda slot: max(_frequency(_rarest_word(choice)) for choice in slot))


def _rarest_word(choice: str) -> str:
    return min(re.split(r"[_-]", choice), key=_frequency)


def _frequency(word: str) -> tuple[int, int]:
    """How often a word is said, roughly: by what is known of it, then by its length."""
    return (2 if word in _EVERYWHERE else int(word in _FREQUENT), -len(word))


def _keys_of(choice: str) -> list[str]:
    """What of a choice stands in the keys of a sentence that holds it: its rarest word, or the start of a stem."""
    rarest = _rarest_word(choice)
    if not rarest.endswith("*"):
        return [rarest, rarest.replace("'", "")] if "'" in rarest else [rarest]
    if len(rarest) <= STEM_LETTERS:
        raise ValueError(f"{choice!r}: a stem has at least {STEM_LETTERS} letters")
    return [rarest[:STEM_LETTERS]]
