"""Measured facts in a sentence that are not money: percentages, durations, rates, counts, from x to y."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from engine.rules.numbers import DIGITS, SPOKEN, Number, numbers_in
from engine.rules.sentence import Sentence, word_set

_NUMBER = rf"(?:{DIGITS}|{SPOKEN})"
_ABOUT = r"(?:about |around |roughly |what was it, |the )?"
_TIME = r"(?:minutes?|mins?|hours?|hrs?|days?|weeks?|months?|years?|seconds?|working days|shifts?|man-?days|fte)"
_SPAN = r"(?:minute|hour|day|night|week|month|quarter|year|shift|user|customer|order|employee)"
_EACH = rf"(?<!for )(?<!in )(?<!within )(?:a|an|per|every|each|/)\s?{_SPAN}"
_OFTEN = r"(?:daily|weekly|monthly|annually|yearly|(?:in (?:one|a|the last|last)|last) (?:year|month|quarter|week))"
_NO_UNIT = (
    r"(?:of|to|and|or|in|on|at|since|before|after|because|so|but|that|then|is|was|are|were|for|not|who|which|with|from|if"
    r"|when|minutes?|percent|people|till|until|by)\b"
)
# What follows a number and makes it a measured fact.
_KINDS = {
    "percent": re.compile(r"\s?(?:%|(?:percent|per cent|pct|percentage points?|basis points|points)\b)"),
    "change": re.compile(rf"(?: \w+)? (?:to|instead of|rather than|against|versus|vs\.?) {_ABOUT}{_NUMBER}"),
    "rate": re.compile(
        rf"(?:\s?k)?(?:\s(?!to\b)[a-z][\w'-]*){{0,4}}?\s?{_EACH}\b"
        rf"|(?:\s[a-z][\w'-]*){{0,2}}?\s(?:{_OFTEN}\b|(?:out )?of (?:the |our )?(?:{DIGITS}))"
    ),
    "duration": re.compile(rf"(?:\s?-\s?| to | or )?(?:{DIGITS})?[\s-]?{_TIME}\b"),
    "count": re.compile(rf"\s?k?\s(?!{_NO_UNIT})[a-z][a-z-]{{2,}}"),
}
_FROM = re.compile(r"\bfrom (?:about |around |roughly )?$")

INDICATORS = word_set("""
    dio dso dpo nps csat churn oee uptime downtime sla turnover conversion utilisation utilization throughput
    yield scrap attrition retention backlog headcount mttr mtbf arr mrr ebitda margin payback roi aht fcr otif kpi
    kpis target average median mean baseline rate ratio percentage cycle lead response overtime overdue delays
    delay volume volumes lateness accuracy error errors rework reopen reopens complaints returns capacity
    occupancy inventory stock defects leakage savings takes took cost costs spend productivity
""")


class Quantity(NamedTuple):
    """A measured fact: where, as written, and what kind."""

    start: int
    text: str
    kind: str  # "percent", "change", "rate", "duration" or "count"


def quantities(sentence: Sentence, numbers: Sequence[Number] | None = None) -> tuple[Quantity, ...]:
    """The measured facts of one sentence, of each kind the first; `numbers` are its numbers, if they are known."""
    first: dict[str, Quantity] = {}
    for number in numbers_in(sentence) if numbers is None else numbers:
        for kind, after in _KINDS.items():
            match = after.match(sentence.folded, number.end)
            if match is not None and not (kind == "change" and _is_no_change(sentence.folded, number.start, match)):
                written = sentence.text[number.start : match.end()].strip()
                first.setdefault(kind, Quantity(number.start, written, kind))
                break
    return tuple(first.values())


def names_an_indicator(sentence: Sentence) -> bool:
    """Whether the sentence names something that businesses measure."""
    return not sentence.words.isdisjoint(INDICATORS)


def _is_no_change(folded: str, start: int, match: re.Match[str]) -> bool:
    """A range ("2 to 3 days") is no change: that needs "from ... to ..."."""
    return " to " in match.group() and _FROM.search(folded, max(0, start - 20), start) is None
