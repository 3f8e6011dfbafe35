"""What a seller would say first to a message: at most two short reactions, in the order in which they matter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.model.conversation import Channel, Turn
from engine.model.qbs import EngagementSignal, QBSQuestionRecommendation, VossDelivery
from engine.model.qualification import Dimension
from engine.model.state import ConversationState
from engine.pain import PainDepthTracker
from engine.rules.depth import EMOTIONAL_FROM
from engine.rules.drafting_quotes import best_quote, sayable
from engine.rules.drafting_wordings import Reaction, worded
from engine.rules.engagement import asks_about_the_offer, leaves
from engine.rules.heard import Heard
from engine.rules.sentence import Sentence, word_set

SHORT_ANSWER = 3  # words
LEAST_SAID_WORDS, MOST_SAID_WORDS = 5, 12  # of a question that is said back
QUOTE_WORDS = {Channel.EMAIL: 12, Channel.CHAT: 10, Channel.CALL: 10}

_AGREED = re.compile(
    r"\b((?:mon|tues|wednes|thurs|fri|satur|sun)day(?: (?:at )?\d{1,2}(?:[:.]\d\d)?(?: ?[ap]m)?)?) "
    r"(?:works|is fine|suits|is good|is okay)\b",
    re.IGNORECASE,
)
_LIMITS = re.compile(
    r"\b(?:please|pls) (?:no|don't|do not|stop)\b|\b(?:don't|do not|dont) (?:send|call|contact|push|sell|put|quote|use"
    r"|bring|do (?:that|this|heads))\b|\bno (?:demo|calls?|telephone|phone|slides?|one-?pager|brochure|deck|pitch)\b"
    r"|\bi must ask\b|\bskip the\b|\blet's leave it\b|\bjust send\b|\bnot able to\b|\bnot in a position\b"
    r"|\bno off the record\b"
)
_ASKS_PRICE = re.compile(r"\b(?:cost|price|pricing|how much|ballpark|charge|fee)\b")
_OPENS_QUESTION = re.compile(
    r"(?:(?:and|so|also|but|ok|okay|or),? )*(?:can|could|do|does|will|would|is|are) (?:you|it|that|this|your|the|we)\b"
    r"|(?:and |also )*(?:how much|what's it|whats it|what is your|what does)\b"
)
_QUESTION_WORD = re.compile(
    r"(?:^|[,;:] )(?:and |so |but |also )*(?:who|what|when|where|which|why|how|on what|in which|can|could|do|does|did"
    r"|will|would|is|are|have|has|should)\b|\byou\b"
)
_REQUESTS = re.compile(
    r"(?:^|[,;] )(?:and |so |but |also )*(?:(?:can|could) (?:we|i)"
    r"|(?:can|could|would) you (?:please |also )?(?:send|share|do|call|move|make|check|put))\b"
)
_RHETORICAL = re.compile(
    r"\b(?:hear me|you know|can you imagine|isn't it|remember|what(?:'ve| have) you got)\b|^(?:like|honestly|right)\b"
)
LEAST_QUESTION_WORDS = 3
_SAYS_NOTHING = word_set("""
    ok okay k sure maybe fine whatever dunno depends busy hm hmm nah meh pass perhaps possibly idk later fair no yes
    yeah yep thanks thank you great good perfect agreed deal right correct hi hello hey
""")
_THEMSELVES = {"me", "us", "just me", "only me", "mainly me", "i do", "we do"}
_WRITTEN_DOWN = {
    Dimension.BUDGET: Reaction.MONEY,
    Dimension.METRICS: Reaction.FIGURES,
    Dimension.AUTHORITY: Reaction.DECIDING,
    Dimension.ECONOMIC_BUYER: Reaction.DECIDING,
    Dimension.DECISION_PROCESS: Reaction.DECIDING,
}


@dataclass(frozen=True, slots=True)
class Latest:
    """The message that is answered, as heard, and what is known because of it."""

    heard: Heard
    turns: Sequence[Turn]
    channel: Channel
    recommendation: QBSQuestionRecommendation
    evidence: tuple[tuple[Dimension, str], ...]

    @property
    def touched(self) -> bool:
        """Whether it moves the customer."""
        shown = self.recommendation.engagement_signal is EngagementSignal.EMOTIONAL_LANGUAGE
        return shown or self.heard.emotion >= EMOTIONAL_FROM

    @property
    def held_back(self) -> bool:
        """Whether the customer has had enough of being asked."""
        resists = self.recommendation.engagement_signal is EngagementSignal.RESISTANT
        audits = self.recommendation.voss_delivery is VossDelivery.ACCUSATION_AUDIT
        return resists or audits or PainDepthTracker.should_back_off(PainDepthTracker.load(self.heard.state))


def evidence_in(state: ConversationState, indices: Sequence[int]) -> tuple[tuple[Dimension, str], ...]:
    """The dimensions that rest on these turns, each with the quote."""
    return tuple(
        (dimension, evidence.quote)
        for dimension, signal in state.qualification.signals.items()
        if signal.grounded
        for evidence in signal.evidence
        if evidence.turn in indices
    )


def acknowledgements(latest: Latest) -> tuple[str, ...]:
    """What must not be passed over: a date agreed, a limit set, a question asked, that they have to go."""
    return tuple(_acknowledged(latest))


def taken_up(latest: Latest) -> str | None:
    """One thing of theirs said back: what moves them, a telling clause, a fact, a short answer; None if nothing is."""
    say = latest.channel, latest.turns
    if latest.touched:
        return worded(Reaction.OPENED_UP, *say)
    if (short := _short_answer(latest.heard)) is not None:
        return worded(Reaction.SHORT, *say, said=short)
    if latest.held_back:
        return None
    rests_on = dict(latest.evidence)
    quotable = best_quote(latest.heard, rests_on.values(), most_words=QUOTE_WORDS[latest.channel])
    if quotable is not None and quotable.is_problem:
        return worded(Reaction.QUOTED, *say, said=quotable.text)
    written_down = next((reaction for d, reaction in _WRITTEN_DOWN.items() if d in rests_on), None)
    if written_down is not None:
        return worded(written_down, *say)
    if quotable is not None:
        return worded(Reaction.NOTED if quotable.is_evidence else Reaction.QUOTED, *say, said=quotable.text)
    return None


def nothing_taken_up(latest: Latest) -> str:
    return worded(Reaction.NOTHING, latest.channel, latest.turns)


def _acknowledged(latest: Latest) -> Iterator[str]:
    say, sentences = (latest.channel, latest.turns), [s for s in latest.heard.sentences if not s.to_machine]
    if agreed := next((found for s in sentences if s.told and (found := _AGREED.search(s.text))), None):
        yield f"{agreed[1][:1].upper()}{agreed[1][1:]} it is."
    if any(_LIMITS.search(sentence.folded) for sentence in sentences):
        yield worded(Reaction.LIMIT, *say)
    asked = [sentence for sentence in sentences if _is_asked(sentence)]
    if any(_ASKS_PRICE.search(sentence.folded) for sentence in asked):
        yield worded(Reaction.PRICE, *say)
    elif asked or asks_about_the_offer(latest.heard):
        yield _promised(asked, latest)
    if leaves(latest.heard) and not asked:
        yield worded(Reaction.LEAVING, *say)


def _is_asked(sentence: Sentence) -> bool:
    """Whether a sentence asks the seller something, with or without a question mark."""
    if len(sentence.text.split()) < LEAST_QUESTION_WORDS or _RHETORICAL.search(sentence.folded):
        return False
    asks = sentence.asks and _QUESTION_WORD.search(sentence.folded) is not None
    return (asks or _OPENS_QUESTION.match(sentence.folded) is not None) and not any(m in sentence.text for m in '"“”')


def _promised(asked: Sequence[Sentence], latest: Latest) -> str:
    """An answer promised, with the question said back where it is a single short one that says what it is about."""
    say = latest.channel, latest.turns
    said = sayable(asked[0].text.strip(" ?.")) if len(asked) == 1 else None
    requests = len(asked) == 1 and _REQUESTS.search(asked[0].folded) is not None
    if said is None or not LEAST_SAID_WORDS <= len(said.split()) <= MOST_SAID_WORDS:
        short = requests and latest.channel is not Channel.EMAIL
        return worded(Reaction.REQUEST if short else Reaction.ASKED_MORE, *say)
    return worded(Reaction.REQUEST if requests else Reaction.ASKED, *say, said=said)


def _short_answer(heard: Heard) -> str | None:
    words = heard.turn.text.strip(" .,!").split()
    plain = [word.strip(",.!").casefold() for word in words]
    if not 0 < len(words) <= SHORT_ANSWER or not _SAYS_NOTHING.isdisjoint(plain) or "?" in heard.turn.text:
        return None
    if " ".join(plain) in _THEMSELVES:
        return "So that's you"
    if not all(word.replace("-", "").isalnum() for word in plain) or any(word[-1] in ".!;" for word in words[:-1]):
        return None
    said = " ".join(words)
    return f"{said[:1].upper()}{said[1:]}"
