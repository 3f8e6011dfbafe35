"""Budget: money the customer has for this, does not have, or no longer has.

An amount alone is no budget: it needs words about having money for it, or the seller's question. Costs, losses,
prices, salaries, earlier spending and supposed amounts ("if we had 50k") are none.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from engine.model.qualification import Dimension
from engine.rules.heard import Finding, Heard, finding
from engine.rules.hedges import TAKEN_BACK as GONE
from engine.rules.hedges import hedged, negated, taken_back
from engine.rules.money import Amount
from engine.rules.numbers import DIGITS, SPOKEN
from engine.rules.phrases import Phrases, holding
from engine.rules.reading import gist, quote
from engine.rules.sentence import Sentence, word_set
from engine.rules.timing import has_date

# Confidence by what was said. Taking back is surer than any statement, for the last word counts.
TAKEN_BACK = 0.96
STATED = 0.85
NONE_THERE = 0.75
ANSWERED = 0.7
CEILING = 0.6
MENTIONED = 0.45

_MONEY_FOR_IT = Phrases("""
    budget* | funding | is/are/was/were/get/gets/got funded | funds for/are/were/available | allocat* | earmark*
    set_aside/put_aside | line_item | capex | opex | capital budget/pot/line | contingency | purse
    money for/is/was/might/in | the/that/any/no/our/enough/much/more money
    investments are/is/were/budget/freeze/stop | cash_for
""")
_HAVE = Phrases("""
    i/we have/had/got | i've/we've got/set/put/budgeted/allocated/earmarked/planned | i/we would spend/pay
    i/we can/could spend/afford/go/do/find/stretch/put/get/release/sign | want/plan to spend | was/were thinking
    are/am looking/willing/prepared/ready/able to spend/invest/pay/put | i/we planned/budgeted/allocated/earmarked
    is/was/are/got/been approved/allocated/earmarked/reserved/available/set_aside/put_aside/released/signed_off
    set_aside/put_aside | earmarked | ring-fenced/ringfenced | there's | there is/are/was | inside/within what
    room_for | stay/be/keep_it under/below/within | up_to | no/not more than | maximum/max/ceiling
    cap/limit is/of/at/to | limited to | below | under | somewhere between/around | in the range/region/order of
""")
_NONE = Phrases("""
    no/without/zero/isn't [a/any/the] ** budget*/funding/funds/money/capex
    not_have/don't_have/doesn't_have/haven't/haven't_got [a/any/the] ** budget*/funding/funds/money/capex
    there's_no/there_is_no/there_isn't/there_is_not [a/any] ** budget*/funding/funds/money/capex/line_item/allocation
    nothing/not in the/our/this_year's [*] budget/plan/funding | outside the/our budget | unfunded | unbudgeted
    not [been] budgeted/funded | short of money/budget/cash/funds | can't/cannot/couldn't afford ~to
    budget/money/funding isn't/is_not/hasn't_been/has_not_been there/approved/available/released/allocated/signed
""")
_ENOUGH = Phrases("""
    not short of | no lack/shortage of | not [a/the] question/matter of | isn't/is_not [the/an] issue/problem
    not the issue/problem | no issue/problem with
""")
_FROZEN = Phrases("""
    investments/spending/budget/budgets/purchases/capex/everything ** blocked/frozen/on_hold/stopped/paused/cut
    spending/budget/investment/purchasing/capex freeze/stop/ban/cut/cuts
""")
_NOT_FOR_THIS = Phrases("""
    cost/costs/costing us/me/them | lost | losing | loss | penalty/penalties | fined | surcharge | invoice
    write-off/write-offs | salary/salaries | offer_letter | overtime | wasted | paid the/them/for | we_pay
    they charge/charged/want/went | spent | per label/unit/piece/hour/kilo | machine | insurance | excess | revenue
    turnover | sales_of | profit | margin | saved | savings | your price/quote/offer/fee/proposal
    you quoted/charge/asked/said/were_at/put | too_expensive | another vendor | last one/vendor/system
    switched_off | caps | liability | opportunity in your | list_price | raised | a_round | over/above #
""")
_NOT_A_BUDGET = Phrases("read as a budget | not a/the/our/my budget")
_DOES_NOT_KNOW = Phrases("""
    never seen/heard | don't know | no idea | couldn't say | can't say | not_me | not_mine | above me
    ask him/her/them
""")
_LACKS = Phrases("which i/we don't/do_not/haven't/have_not | but/and i/we don't/haven't")
_LIMIT = Phrases("up_to | under | below | max/maximum | no more than | ceiling | within | inside")
_LEFT = re.compile(r"\b(?:to|at|left with|have|only|still)(?: about| around| just| only)? $")
_OWN = word_set("i my our we don't i've we've")
_PER_PIECE = word_set("hour day unit label head person user seat")
_BARE = re.compile(rf"(?<![\w.,:/]){DIGITS}(?![\w%:/]|[.,]\d)|\b{SPOKEN}\b")
_BARE_UNIT = re.compile(
    r"\s?(?:%|percent|years?|months?|weeks?|days?|hours?|people|users?|sites?|minutes|o'?clock|st\b|nd\b|rd\b|th\b|-|/)"
)


def find_budget(heard: Heard) -> Iterator[Finding]:
    """What the turn says about money for this; each finding with a confidence by how plainly it is said."""
    asked = Dimension.BUDGET in heard.asked
    known = heard.known[Dimension.BUDGET].identified
    said: Sentence | None = None
    relevant = holding(heard.sentences, _MONEY_FOR_IT, _HAVE, _NONE, _FROZEN, _ENOUGH, _LACKS, GONE)
    for sentence in heard.sentences if asked else relevant:
        if sentence.asks or sentence.to_machine:
            continue
        follows = said is not None and _follows(heard, said, sentence)
        found = _about_money(heard, sentence, known, asked) or (_taken_back_at_once(sentence) if follows else None)
        if found is not None:
            known, said = True, sentence
            yield found


def _follows(heard: Heard, earlier: Sentence, later: Sentence) -> bool:
    pairs = itertools.pairwise(heard.sentences)
    return any(first is earlier and second is later for first, second in pairs)


def _taken_back_at_once(sentence: Sentence) -> Finding | None:
    """ "We had a budget of 50k. That is gone." """
    return _withdrawn(sentence, 0, TAKEN_BACK) if taken_back(sentence) and not sentence.supposes else None


def _about_money(heard: Heard, sentence: Sentence, known: bool, asked: bool) -> Finding | None:
    amount = max(heard.amounts_in(sentence), key=lambda amount: amount.high, default=None)
    return _no_longer(sentence, amount, known) or _absent(sentence, amount) or _present(sentence, amount, asked)


def _no_longer(sentence: Sentence, amount: Amount | None, known: bool) -> Finding | None:
    """A budget taken back or cut. Only where one was known before does it have the last word."""
    if sentence.supposes:
        return None
    frozen = _FROZEN.find(sentence)
    back = frozen is not None or taken_back(sentence)
    about = frozen or (_MONEY_FOR_IT.find(sentence) if back else None)
    if not back or (about is None and not (known and amount)):
        return None
    confidence = TAKEN_BACK if known else NONE_THERE
    if amount is not None and _LEFT.search(sentence.folded, 0, amount.start):
        return finding(sentence, amount.start, confidence - 0.15 * hedged(sentence), f"cut to {amount.text}")
    return _withdrawn(sentence, about.start() if about else 0, confidence)


def _withdrawn(sentence: Sentence, at: int, confidence: float) -> Finding:
    confidence += 0.01 * (not sentence.words.isdisjoint(_OWN)) - 0.15 * hedged(sentence)
    quoted = quote(sentence, at)
    return Finding(f"withdrawn: {gist(quoted, 90)}", confidence, quoted)


def _absent(sentence: Sentence, amount: Amount | None) -> Finding | None:
    """No budget, said outright or in an aside: "if we had 50k, which we don't"."""
    denied = _NONE.find(sentence)
    if denied is not None and _ENOUGH.are_in(sentence):
        return None
    aside = _LACKS.find(sentence) if denied is None and sentence.supposes and amount else None
    at = denied or aside
    if at is None:
        return None
    quoted = quote(sentence, at.start())
    confidence = NONE_THERE - 0.1 * (aside is not None) - 0.2 * hedged(sentence)
    return Finding(f"none: {gist(quoted, 95)}", confidence, quoted)


def _present(sentence: Sentence, amount: Amount | None, asked: bool) -> Finding | None:
    if sentence.supposes or _NOT_A_BUDGET.are_in(sentence):
        return None
    named, has = _MONEY_FOR_IT.find(sentence), _HAVE.are_in(sentence)
    if not (asked or named or has):
        return None
    if amount is None:
        return _without_amount(sentence, named, has, asked)
    if negated(sentence, amount.start) or amount.period in _PER_PIECE:
        return None
    if _NOT_FOR_THIS.are_in(sentence) and not (named and has):
        return None
    confidence = _confidence(named is not None, has, asked) - 0.2 * hedged(sentence)
    return finding(sentence, amount.start, confidence, _value(sentence, amount))


def _confidence(named: bool, has: bool, asked: bool) -> float:
    if named and has:
        return STATED
    if asked and (named or has):
        return ANSWERED + 0.05
    return ANSWERED if named else CEILING


def _without_amount(sentence: Sentence, named: re.Match[str] | None, has: bool, asked: bool) -> Finding | None:
    bare = _bare_number(sentence) if asked else None
    if bare is not None and not negated(sentence, bare.start()):
        return finding(sentence, bare.start(), CEILING - 0.1 - 0.15 * hedged(sentence))
    if named is None or _DOES_NOT_KNOW.are_in(sentence) or negated(sentence, named.start()):
        return None
    return finding(sentence, named.start(), MENTIONED + 0.1 * asked) if has or _ENOUGH.are_in(sentence) else None


def _bare_number(sentence: Sentence) -> re.Match[str] | None:
    """A number of at least two digits with no unit: "seventy-five, for the year", said when asked for the budget."""
    if has_date(sentence):
        return None
    for found in _BARE.finditer(sentence.folded):
        number = found.group()
        long_enough = len(number) >= 2 if number[0].isdigit() else len(number) > 5
        year = number.isdecimal() and 1990 <= int(number[:6]) <= 2050
        if long_enough and not year and not _BARE_UNIT.match(sentence.folded, found.end()):
            return found
    return None


def _value(sentence: Sentence, amount: Amount) -> str:
    limit = _LIMIT.find(sentence)
    return f"up to {amount.text}" if limit is not None and limit.start() < amount.start else amount.text
