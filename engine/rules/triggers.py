"""People newly mentioned, as expansion triggers: who, in what relation, how and when to ask for an introduction."""

from __future__ import annotations

from collections.abc import Sequence

from engine.contacts import TRUST_AFTER_INTERACTIONS
from engine.model.qbs import EngagementSignal, ExpansionTrigger, Urgency
from engine.people import is_role
from engine.rules.heard import Heard
from engine.rules.people import Mentioned
from engine.rules.phrases import Phrases
from engine.rules.reading import quote
from engine.rules.roles import is_executive

MOST_TRIGGERS = 8

_INVITES = Phrases("""
    talk/speak/write/reach_out/go to | ask her/him/them | contact | call | copy | cc | include | invite | loop in
    meet | bring in/along | you should talk/speak/meet/ask | will write/call/send/contact/give/be_in_touch
    be in the room | would/want/wants/like to see/meet | in_copy | dialled_in | gave me your | put you in touch
    introduce | join/joins/joining
""")
_GUARDS = Phrases("""
    not_yet | don't | do_not | please no | never | rather not | wait | too early/soon | without him/her/them
    not before | leave him/her/them | if i brought | i'd go to | let me ask/talk/speak | i'd mention | must not
    not contact | not ready
""")
_REPORTS = Phrases("my boss/manager/director/head/vp/cfo/ceo/coo/cio/cto/md/chief")
_LEADS = Phrases("my team/people/analyst*/engineer*/planner*/assistant/staff/department/group/colleague*/technician*")


def find_triggers(
    heard: Heard, people: Sequence[Mentioned], engagement: EngagementSignal
) -> tuple[ExpansionTrigger, ...]:
    """A trigger for each of the people mentioned and not known, at most `MOST_TRIGGERS`."""
    return tuple(_trigger(heard, mention, engagement) for mention in people[:MOST_TRIGGERS])


def _trigger(heard: Heard, mention: Mentioned, engagement: EngagementSignal) -> ExpansionTrigger:
    when = urgency(heard, mention, engagement)
    return ExpansionTrigger(
        mentioned_name_or_role=mention.name[:200],
        context_quote=quote(mention.sentence, mention.start),
        relationship_to_contact=_relationship(mention),
        expansion_approach=_approach(mention, when),
        urgency=when,
    )


def urgency(heard: Heard, mention: Mentioned, engagement: EngagementSignal) -> Urgency:
    """When to ask: at once where the customer invites it, only with trust where the customer guards the person.

    Executives and messages that resist wait for trust too. Nobody is `immediate` before the third interaction.
    """
    sentence = mention.sentence
    if engagement is EngagementSignal.RESISTANT or (_GUARDS.are_in(sentence) and not sentence.asks):
        return Urgency.AFTER_TRUST_BUILDS
    invited = _INVITES.are_in(sentence)
    if invited and heard.state.interaction_count >= TRUST_AFTER_INTERACTIONS:
        return Urgency.IMMEDIATE
    if not invited and is_executive(mention.title):
        return Urgency.AFTER_TRUST_BUILDS
    return Urgency.NEXT_CONVERSATION


def _relationship(mention: Mentioned) -> str:
    if mention.role:
        return f"{mention.role}, named by the contact"
    if _REPORTS.are_in(mention.sentence):
        return "the contact's superior"
    if _LEADS.are_in(mention.sentence):
        return "in the contact's team"
    return "a role or team at the customer" if is_role(mention.name) else "a colleague, role not said"


def _approach(mention: Mentioned, when: Urgency) -> str:
    who = mention.name
    if when is Urgency.IMMEDIATE:
        return (
            f"The contact opened the door: offer something short that helps with {who} and ask how best to reach out."
        )
    if when is Urgency.AFTER_TRUST_BUILDS:
        return f"Not yet: give the contact something useful to pass on to {who} first."
    return f"Ask what {who} would need to see, and offer to prepare it together."
