"""Dates, quarters, deadlines and relative times in a sentence, and whether they say when something has to happen."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from engine.rules.hedges import hedged
from engine.rules.phrases import Phrases, holding
from engine.rules.sentence import Sentence, word_set

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_COUNT = r"(?:\d{1,3}|a|an|one|two|three|four|five|six|seven|eight|nine|ten|twelve|couple of|few)"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_EDGE = r"(?:(?:the )?(?:beginning|start|middle|end|close|first week|last week|early|mid|late)[ -](?:of )?(?:the )?)"
_SEASON = r"(?:spring|summer|autumn|fall|winter|christmas|xmas|easter|new year(?:'s)?|ramadan|diwali|carnival|harvest)"
_EVENT = (
    r"(?:holidays|peak|black (?:friday|week)|renewal|re-?audit|audit|inspection|go-?live|season|(?:new )?school year)"
)
_MAY = "|".join(rf"(?<={word} )may\b" for word in ("in", "by", "until", "before", "from", "end of"))
_UNIT = r"(?:days?|weeks?|months?|quarters?|years?)"
_PERIOD = (
    r"(?:week|month|quarter|half|year|fiscal year|financial year|term|semester|season|budget (?:cycle|year|round))"
)

_POINTS = (
    rf"(?:{_DAY} (?:of )?{_MONTH}|{_MONTH} {_DAY})(?:,? 20\d\d)?(?!\d)",
    rf"{_DAY} (?:of )?may\b",
    rf"may {_DAY}\b",
    r"20\d\d-[01]\d-[0-3]\d\b",
    r"[0-3]?\d[./][01]?\d[./](?:20)?\d\d\b",
    rf"(?:{_EDGE})?(?:{_MONTH}|{_MAY})(?: '?20\d\d| '\d\d)?",
    r"q[1-4](?:[ /]?(?:fy)?'?(?:20)?\d\d)?\b",
    r"h[12]\b(?: 20\d\d)?",
    r"fy ?'?(?:20)?\d\d\b",
    r"(?:first|second|third|fourth|last|next|this|coming) (?:quarter|half)\b(?: of (?:the|this|next) year)?",
    rf"{_EDGE}(?:this |next |the )?(?:{_PERIOD}|{_SEASON})\b",
    r"(?:year|month|quarter)[- ]end\b",
    r"(?:by|before|until|till|in|from|for|mid|late|early|end of) 20[2-4]\d\b",
    r"the \d{1,2}(?:st|nd|rd|th)\b",
)
_ROUGHLY = (
    rf"(?:next|this|coming|following) (?:{_PERIOD}|{_SEASON}|{_MONTH}|may)\b",
    rf"(?:in|within|over) (?:the next |about |around |roughly )?{_COUNT}(?:(?:-| to | or ){_COUNT})? {_UNIT}\b",
    rf"(?:before|by|after|until|till|from|in|over) (?:the )?(?:next )?(?:{_SEASON}|{_EVENT})\b",
    r"\d{1,3} (?:days|weeks|months) notice\b",
    r"(?:notice|opt-?out) (?:period|window)\b",
    r"asap\b|as soon as possible\b|immediately\b|right away\b|urgent(?:ly)?\b|yesterday\b|no rush\b",
    r"not (?:this|until next) year\b|no (?:fixed )?(?:deadline|date)\b|sooner rather than later\b",
)
_DEFINITE = re.compile(rf"\b(?:{'|'.join(_POINTS)})")
_DATE = re.compile(rf"\b(?:{'|'.join((*_POINTS, *_ROUGHLY))})")
_DATE_WORDS = word_set("""
    jan january feb february mar march apr april may jun june jul july aug august sep sept september oct october
    nov november dec december q1 q2 q3 q4 h1 h2 quarter half year years week weeks month months term semester
    season day days spring summer autumn fall winter christmas xmas easter holidays peak renewal audit reaudit
    inspection asap possible immediately urgent urgently yesterday notice deadline date rush sooner ramadan diwali
    cycle 2024 2025 2026 2027 2028 2029 2030 golive live '27 fy26 fy27 fy25 fy
""")

_DEADLINE = Phrases("""
    deadline* | due ~to | expir* | renew* | run/runs/ran out | roll/rolls/rolled over | notice
    go/goes/going/went live | go-live | live by/before/in/on/operation | be live | in place | up and running
    ready by/before/for/in | launch* | roll-out/rollout/rolling_out | kick-off/kickoff | cut-over/cutover
    switch/switching over/to/off/on | code_freeze | freeze from | migrat* | implement*
    contract/agreement/licence/license/lease/term/support/subscription/warranty ** end*/expire*/finish*/stop*/run/runs
    contracts/licences/licenses ** end*/expire*/finish*/stop*/run/runs | out of [*] support
    end-of-life/end_of_life | must be | has to be done/in/live/ready
    have to send/submit/decide/deliver/be/have/replace | need/needs it/this/that | need/needs to be/have
    need/needs something/a/an/the/fixed | want it/this/them/to_be/to_have/to_start/to_go | i'd/we'd/would like
    no later than | at the latest | latest | target* | plan/plans/planned/planning to/for/is/on | planned
    scheduled | timeline | budget cycle/year/round | fiscal/financial year | audit | inspection
    open/opens/opening | start/starts | begin/begins | teaching | season | test_date/test_dates | decision | decide
    sign/signed/signing | meets | sitting | committee | submission | submit | tender | by_then | before the/we/that
    by [the] end/start/beginning | until end | phase | pilot | trial | goes out | earliest | not before
    won't happen/start/move | fixed | asap | as_soon_as_possible | urgent* | standstill | weather_window
""")
_HARD_DEADLINE = Phrases("""
    deadline* | due by/on/in | expir* | renew* | run/runs out | go/goes/going live | go-live | no later than
    at the latest | contract/agreement/lease/licence/license ... end*/up/expire*/finish*/run/runs/start/starts
    live by/before/in/on/operation | code_freeze | must be | has_to_be
    have to send/submit/decide/deliver/be/have/replace | out of [*] support | end-of-life/end_of_life
    need it/this/something/to_be/to_have | in place by | up and running | before the | by [the] end of | open/opens
    start/starts [on] #
""")
_MEETING = Phrases("""
    call | phone | ring | chat | speak | talk | meet ~the/our/deadline* | meeting | slot | lunch | coffee
    calendar | diary | invite | available | availability | out of [the] office | on leave | annual_leave | holidays
    vacation | off until/till/on | i'm/i_am/she's/he's/i'll_be [*] out/away/off/back/travelling/traveling
    back on/in/from | out next/this/until/all | catch_up | reach_out | get back to you | half_term | parental
    carnival | in the office
""")
_PAST = Phrases("""
    last | ago | since | previous | prior | back_in | used_to | until recently | in the past | earlier this | was
    were | had | went | did | bought | lost | came | told | left | put | met
""")
_AHEAD = Phrases("""
    will | going to | won't | i'll/we'll/it'll/they'll/he'll/she'll | need/needs/must | has/have to | by | before
    until/till | deadline | expire/expires | due | next | planned | runs out | start/starts | end/ends
    no later than | want | would | i'd/we'd | scheduled | expected | fixed | supposed
""")
_BEHIND = re.compile(r"\b(?:last|since|back in|questions?|in late|past|previous)\s(?:early |mid |late |the )?$")
_DIGIT = re.compile(r"\d")
_VAGUE = re.compile(
    r"(?:in|within|over) (?:the |about |around |roughly |next )*(?:\d|\w+ )|urgent|yesterday|right|immed"
)
_PAST_DUE = re.compile(r"\bpast[- ]due")


def may_be_due(sentences: Iterable[Sentence]) -> list[Sentence]:
    """The sentences in which something may have to happen."""
    return holding(sentences, _HARD_DEADLINE, _DEADLINE)


class When(NamedTuple):
    """A time in a sentence: where, as written, and how sure one can be that it is a date for the deal."""

    start: int
    text: str
    confidence: float


def when(sentence: Sentence, *, asked: bool = False) -> When | None:
    """The time by which something has to happen, if a sentence names one. `asked`: the seller asked for it.

    Not one: what is past, when to talk next or who is away, and any date without something that has to happen.
    """
    if sentence.supposes or sentence.to_machine or not _may_have_date(sentence):
        return None
    hard = _HARD_DEADLINE.are_in(sentence)
    if not (hard or asked or _DEADLINE.are_in(sentence)) or _only_past(sentence):
        return None
    date = _first_ahead(_DATE, sentence.folded)
    if date is None:
        return None
    if not hard and (_MEETING.are_in(sentence) or _VAGUE.match(date.group())):
        return None
    definite = _first_ahead(_DEFINITE, sentence.folded)
    best = definite or date
    written = sentence.text[best.start() : best.end()].rstrip(". ")
    return When(best.start(), written, _confidence(sentence, definite is not None, hard))


def has_date(sentence: Sentence) -> bool:
    """Whether the sentence names a point in time, whatever happens then."""
    return _may_have_date(sentence) and _DATE.search(sentence.folded) is not None


def _may_have_date(sentence: Sentence) -> bool:
    return not sentence.words.isdisjoint(_DATE_WORDS) or _DIGIT.search(sentence.folded) is not None


def _first_ahead(pattern: re.Pattern[str], folded: str) -> re.Match[str] | None:
    """The first date that is not called the last one or a beginning ("last November", "since March")."""
    for found in pattern.finditer(folded):
        if not _BEHIND.search(folded, max(0, found.start() - 12), found.start()):
            return found
    return None


def _only_past(sentence: Sentence) -> bool:
    if _PAST_DUE.search(sentence.folded):
        return True
    past = _PAST.are_in(sentence) or any(word.endswith("ed") for word in sentence.words)
    return past and not _AHEAD.are_in(sentence)


def _confidence(sentence: Sentence, definite: bool, hard: bool) -> float:
    """0.45, more for a definite date (+0.2) and for a real deadline (+0.2), less for "maybe" or a question (-0.15)."""
    return 0.45 + 0.2 * definite + 0.2 * hard - 0.15 * (sentence.asks or hedged(sentence))
