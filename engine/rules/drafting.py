"""The reply that carries the recommended question, by rules: something of value first, then that one question.

What the customer said is taken up in their own words, quoted verbatim; nothing is claimed that stands nowhere: no
figures, no customers, no abilities of a product. Deterministic; English only.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from engine.letters import Letter, is_greeting, lines_of
from engine.model.conversation import MAX_TURN_CHARACTERS, Channel, Persona, Speaker, Turn
from engine.model.qbs import QBSQuestionRecommendation, QBSQuestionType, VossDelivery
from engine.model.state import ConversationState
from engine.rules.drafting_address import greeting, sign_off
from engine.rules.drafting_reactions import Latest, acknowledgements, evidence_in, nothing_taken_up, taken_up
from engine.rules.drafting_wordings import NO_PRESSURE, unused
from engine.rules.hearing import hear
from engine.rules.wordings import openings_for
from engine.wording import questions, sentences

VALUE_SENTENCES = {Channel.EMAIL: 3, Channel.CHAT: 2, Channel.CALL: 2}
MOST_MESSAGES = 3  # of a customer who writes several in a row


def draft_by_rules(
    state: ConversationState, turns: Sequence[Turn], recommendation: QBSQuestionRecommendation, channel: Channel
) -> Letter:
    """The seller's next message. `state` is the state after the last of `turns`, which may be of any speaker."""
    latest = _latest(state, turns, recommendation, channel)
    lead, question = _parted(recommendation.suggested_question)
    stock = lead in _stock() or (recommendation.voss_delivery is VossDelivery.MIRROR and lead.endswith("..."))
    brief = state.persona_type is Persona.C_SUITE
    specific = bool(question and lead) and not stock
    reaction, before = ((_without_greeting(lead),), "") if specific else _reaction(latest, lead, stock, brief)
    if channel is not Channel.EMAIL:
        return Letter(lines_of([(*reaction, before, question)]))
    after = unused(NO_PRESSURE, turns) if latest.held_back and question and stock and not brief else ""
    body = lines_of([reaction, (before, question, after)])
    return Letter(body, greeting(state, turns), sign_off(turns))


def _latest(
    state: ConversationState, turns: Sequence[Turn], recommendation: QBSQuestionRecommendation, channel: Channel
) -> Latest:
    """What the customer has said since the seller's last message, read as one."""
    unanswered = [*takewhile(lambda turn: turn.speaker is not Speaker.SELLER, reversed(turns))][::-1]
    said = [turn for turn in unanswered if turn.speaker is Speaker.CUSTOMER][-MOST_MESSAGES:]
    text = "\n".join(turn.text for turn in said)[-MAX_TURN_CHARACTERS:]
    turn = Turn(index=turns[-1].index if turns else 0, speaker=Speaker.CUSTOMER, text=text, channel=channel)
    evidence = evidence_in(state, [turn.index for turn in said])
    return Latest(hear(state, turn, turns[: len(turns) - len(unanswered)]), turns, channel, recommendation, evidence)


def _parted(suggested: str) -> tuple[str, str]:
    """What leads to the question, and the question with what follows it; no question: all of it leads."""
    asked = questions(suggested)
    if not asked:
        return suggested.strip(), ""
    at = suggested.find(asked[0])
    return suggested[:at].strip(), suggested[at:].strip()


def _stock() -> frozenset[str]:
    """The leads that know nothing of this customer: the openings of the rules."""
    return frozenset(
        opening for kind in QBSQuestionType for delivery in VossDelivery for opening in openings_for(kind, delivery)
    )


def _without_greeting(lead: str) -> str:
    first, *rest = sentences(lead) or ("",)
    return " ".join(rest) if rest and is_greeting(first) else lead


def _reaction(latest: Latest, lead: str, stock: bool, brief: bool) -> tuple[tuple[str, ...], str]:
    """What comes first, and what leads over to the question in its own paragraph, if anything."""
    delivery, is_email = latest.recommendation.voss_delivery, latest.channel is Channel.EMAIL
    own = "" if delivery is VossDelivery.MIRROR and lead.endswith("...") else lead
    keeps_lead = not stock or delivery in (VossDelivery.ACCUSATION_AUDIT, VossDelivery.LABEL)
    acknowledged = acknowledgements(latest)[: 2 if is_email and not brief else 1]
    room = VALUE_SENTENCES[latest.channel] - len(acknowledged) - (keeps_lead and bool(own))
    up = taken_up(latest) if room > 0 and not (acknowledged and brief) else None
    first = tuple(sentence for sentence in (*acknowledged, up) if sentence)
    if not first:
        return (own or nothing_taken_up(latest),), ""
    if keeps_lead:
        return first, own
    return first, own if is_email and not brief and delivery is VossDelivery.CALIBRATED_QUESTION else ""
