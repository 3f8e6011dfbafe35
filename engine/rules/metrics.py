"""Metrics: figures by which the customer measures the business or the problem.

Not every number: dates, prices, head counts in passing and small talk are none. A figure counts with a unit, a rate
or an indicator, more so when the seller asked for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from engine.model.qualification import Dimension
from engine.rules.heard import Finding, Heard, finding
from engine.rules.hedges import hedged
from engine.rules.money import Amount
from engine.rules.phrases import Phrases
from engine.rules.quantities import Quantity, names_an_indicator
from engine.rules.sentence import Sentence
from engine.rules.timing import has_date

LEAST, MOST = 0.45, 0.85

_KIND = {"percent": 0.6, "change": 0.6, "rate": 0.55, "duration": 0.3, "count": 0.25}
_COST = 0.55
_BARE = 0.35
_FIGURE = re.compile(r"(?<![\w.,:/-])\d+(?:[.,]\d+)?(?![\w:/])")
_COSTS = Phrases("""
    cost* | lose/loses/losing/lost/loss/losses | paid/pay/pays/paying | charge/charges/charged | invoice*
    surcharge* | write-off/write-offs | spend/spends/spent | waste/wasted/wasting | penalty/penalties | fined/fines
    worth | value | revenue | margin | overtime | storage | went up/from | put it up | airfreight* | inventory
    stock | saving/saves | refresh | capital | landed | unit | price increase
""")
_NOT_OURS = Phrases("""
    budget* | your price/fee/quote/offer/sheet/one-pager/proposal | you quoted/offered/charge | liability
    years old/here | promised | i have lived | i/i've been here/with | i_have been here/with | weighting* | power
    minutes and/for/left | got * minutes | phone | mobile | extension | page # | clause | section | version
    above/over # | sign alone/up_to
""")


def find_metrics(heard: Heard) -> Iterator[Finding]:
    """The figures of the turn, the most telling with the highest confidence."""
    asked = Dimension.METRICS in heard.asked
    for sentence in heard.sentences:
        if not sentence.told or id(sentence) not in heard.figures:
            continue
        found = _figure(heard, sentence, asked)
        if found is not None and found[1] >= LEAST and not _NOT_OURS.are_in(sentence):
            at, confidence = found
            yield finding(sentence, at, min(MOST, confidence))


def _figure(heard: Heard, sentence: Sentence, asked: bool) -> tuple[int, float] | None:
    """Where the most telling figure stands and how sure it is one."""
    measured = [q for q in heard.quantities_in(sentence) if q.kind != "change" or not has_date(sentence)]
    money = heard.amounts_in(sentence)
    money = money if money and (asked or _COSTS.are_in(sentence)) else ()
    indicator = names_an_indicator(sentence)
    bare = _FIGURE.search(sentence.folded) if (indicator or asked) and not has_date(sentence) else None
    if not measured and not money and bare is None:
        return None
    best = max(measured, key=lambda quantity: _KIND[quantity.kind], default=None)
    base = max(_KIND[best.kind] if best else 0.0, _COST if money else 0.0, _BARE if bare else 0.0)
    troubled = any(problem.sentence is sentence for problem in heard.problems)
    support = 0.15 * indicator + 0.1 * troubled + 0.2 * asked
    several = 0.05 * max(0, len(measured) + len(money) - 1)
    return _start(best, money, bare), base + support + several - 0.1 * hedged(sentence)


def _start(best: Quantity | None, money: Sequence[Amount], bare: re.Match[str] | None) -> int:
    """Where the most telling of the figures stands."""
    if best is not None and (not money or _KIND[best.kind] >= _COST):
        return best.start
    return money[0].start if money else (bare.start() if bare else 0)
