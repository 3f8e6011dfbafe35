"""Amounts of money in a sentence: worldwide currencies, k and m, ranges, per month or year, numbers in words.

A number counts as money only with a currency, or with a scale ("50k") that no other unit follows: percentages,
head counts, phone numbers, years, "12k units" and "10k steps" are not money.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from engine.rules.numbers import DIGITS, SCALES, Number, number_of, numbers_in, spoken_number
from engine.rules.sentence import Sentence, word_set

LONGEST_SIGN = 5  # characters, with a space on either side: " EUR "

_SYMBOLS = {
    "us$": "USD", "a$": "AUD", "c$": "CAD", "s$": "SGD", "nz$": "NZD", "hk$": "HKD", "r$": "BRL", "$": "USD",
    "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY", "₪": "ILS", "₫": "VND",
    "฿": "THB", "₴": "UAH", "₦": "NGN", "₱": "PHP", "zł": "PLN",
}  # fmt: skip
_CODES = word_set("""
    usd eur gbp chf sek nok dkk isk pln czk huf ron bgn jpy cny rmb inr aud nzd cad sgd hkd brl mxn zar try aed
    sar qar kwd ils krw twd thb idr myr php vnd ngn kes egp clp cop ars pen uah
""")
_NAMES = {
    "euro": "EUR", "euros": "EUR", "dollar": "USD", "dollars": "USD", "bucks": "USD", "pound": "GBP", "pounds": "GBP",
    "quid": "GBP", "sterling": "GBP", "franc": "CHF", "francs": "CHF", "kronor": "SEK", "kroner": "NOK", "krona": "SEK",
    "krone": "NOK", "crowns": "CZK", "zloty": "PLN", "yen": "JPY", "rupee": "INR", "rupees": "INR", "yuan": "CNY",
    "renminbi": "CNY", "reais": "BRL", "rand": "ZAR", "pesos": "MXN", "dirham": "AED", "dirhams": "AED", "riyal": "SAR",
    "riyals": "SAR", "shekels": "ILS", "won": "KRW", "baht": "THB", "ringgit": "MYR", "lira": "TRY", "forint": "HUF",
    "sing": "SGD", "naira": "NGN", "shillings": "KES",
}  # fmt: skip
_SPOKEN_CURRENCIES = frozenset(_NAMES) | _CODES

_SIGNS = sorted(_SYMBOLS, key=len, reverse=True)
_SIGN_ENDS = frozenset(sign[-1] for sign in _SIGNS)
_SYMBOL = "|".join(map(re.escape, _SIGNS))
_CODE = "|".join(sorted(_CODES))
_NAME = "|".join(sorted(_NAMES, key=len, reverse=True))
_SCALE = r"(?:k|m|mn|mio|mln|mill|bn|thousand|grand|millions?|billion|lakhs?|crores?)\b\.?"
_PERIOD = (
    r"(?:\s*(?:/|per|a|an|each|every)\s*(?P<period>year|yr|annum|month|mo|quarter|week|day|hour|user|seat|head|person"
    r"|site|label|unit|turbine|room|trailer|bed|licen[cs]e)\b|\s*(?P<adverb>p\.?a\.?|annually|yearly|monthly|quarterly"
    r"|weekly)(?!\w))?"
)
_AFTER = re.compile(
    rf"(?![\d%])\s?(?P<low_scale>{_SCALE})?"
    rf"(?:\s?(?P<between>-|to|and)\s?(?:(?:{_SYMBOL})\s?)?(?P<high>{DIGITS})(?![\d%])\s?(?P<high_scale>{_SCALE})?)?"
    rf"\s?(?P<after>(?:{_SYMBOL})|\b(?:{_CODE}|{_NAME})\b)?{_PERIOD}"
)
_AFTER_SPOKEN = re.compile(rf"\s?(?P<scale>\bk\b|\bgrand\b)?\s?(?P<after>\b(?:{_CODE}|{_NAME})\b)?{_PERIOD}")
# What may follow "50k" without making it something other than money.
_NEXT_WORD = re.compile(r"[\s,.;:()!?'\"-]*([a-z]+)?")
_NEUTRAL = word_set("""
    a all already and approved are as at available because before besides between budget but by capital can each
    ex excluding extra for from given had has have he i if in inc including including into is it less limit line
    more net now of off okay on one or our out over p per plus pot put range really remaining right she since so
    spend surcharge that the then there they this though to together too total under until up upfront vat was way
    we were what when where which while who will with would yearly you loss losses penalty fine invoice invoices
    contract deal figure number tops max maximum minimum roughly ballpark annually annual saved saving savings
    salary opportunity project licence license worth mark sign get no not any half first second either just only
""")
_AFTER_METRES = word_set("from away wide long high deep by or of")


class Amount(NamedTuple):
    """An amount as written: `text` at `start`, its bounds in units of the currency, and per what.

    `currency` is None where only a scale says that it is money ("50k").
    """

    start: int
    text: str
    low: float
    high: float
    currency: str | None
    period: str | None


def amounts(sentence: Sentence, numbers: Sequence[Number] | None = None) -> tuple[Amount, ...]:
    """The amounts of one sentence in order; `numbers` are its numbers, if they are known."""
    found: list[Amount] = []
    for number in numbers_in(sentence) if numbers is None else numbers:
        if found and number.start < found[-1].start + len(found[-1].text):
            continue
        amount = _spoken(sentence, number) if number.spoken else _written(sentence, number)
        if amount is not None:
            found.append(amount)
    return tuple(sorted(found))


def _written(sentence: Sentence, number: Number) -> Amount | None:
    folded = sentence.folded
    before = _sign_before(folded, number.start)
    after = _AFTER.match(folded, number.end)
    if after is None:
        return None
    currency = _currency(before or after["after"])
    scale = after["high_scale"] or after["low_scale"]
    if currency is None and (scale is None or not _reads_as_money(folded, scale, after)):
        return None
    low_digits = folded[number.start : number.end]
    high = number_of(after["high"] or low_digits) * _factor(scale)
    low = number_of(low_digits) * _factor(after["low_scale"] or scale)
    if after["between"] == "and" and not folded.endswith("between ", 0, number.start):
        low = high
    start = folded.rindex(before, 0, number.start) if before else number.start
    return _amount(sentence, start, after, min(low, high), high, currency)


def _sign_before(folded: str, start: int) -> str | None:
    """The currency sign or code right before a number."""
    head = folded[max(0, start - LONGEST_SIGN) : start].rstrip()
    if head[-1:] in _SIGN_ENDS:
        return next((sign for sign in _SIGNS if head.endswith(sign)), None)
    return head[-3:] if head[-3:] in _CODES and not head[-4:-3].isalnum() else None


def _spoken(sentence: Sentence, number: Number) -> Amount | None:
    words = sentence.folded[number.start : number.end]
    after = _AFTER_SPOKEN.match(sentence.folded, number.end)
    if after is None:
        return None
    currency = _currency(after["after"])
    big = "thousand" in words or "million" in words or after["scale"] is not None
    if currency is None and not (big and _reads_as_money(sentence.folded, after["scale"] or "thousand", after)):
        return None
    value = spoken_number(words) * _factor(after["scale"])
    return _amount(sentence, number.start, after, value, value, currency) if value else None


def _amount(
    sentence: Sentence, start: int, after: re.Match[str], low: float, high: float, currency: str | None
) -> Amount:
    written = sentence.text[start : after.end()].strip(" ,.;:-")
    return Amount(start, written, low, high, currency, after["period"] or after["adverb"])


def _currency(sign: str | None) -> str | None:
    if sign is None:
        return None
    return _SYMBOLS.get(sign) or _NAMES.get(sign) or sign.upper()


def _factor(scale: str | None) -> float:
    return SCALES[scale.rstrip(".")] if scale else 1.0


def _reads_as_money(folded: str, scale: str, match: re.Match[str]) -> bool:
    """Whether a number with no currency is money all the same: a "grand" is, metres and counted things are not."""
    if scale == "grand":
        return True
    following = _NEXT_WORD.match(folded, match.end())
    word = following.group(1) if following else None
    if scale == "m" and (match.group().startswith(" m") or word in _AFTER_METRES):
        return False
    return word is None or word in _NEUTRAL or match["period"] is not None
