"""What prompts can be told: every variable that exists, computed from values. The files choose among them.

Everything is text, a number or a truth value, in an order that depends on nothing but the values.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.contacts import open_contacts
from engine.model.context import ConversationContext
from engine.model.conversation import Speaker, Turn
from engine.model.qbs import ExpansionEntry, PainTopic, QBSQuestionRecommendation
from engine.model.qualification import AnySignal, Dimension, QualificationState
from engine.model.state import ConversationState
from engine.pain import PainDepthTracker
from engine.prompts import transcript

Variables = dict[str, object]

RECENT_TURNS = 12
RECENT_CHARACTERS = 12_000
MAX_QUOTE_CHARACTERS = 120
MAX_NAMES = 40
MAX_SUMMARY_PEOPLE = 8
MAX_SUMMARY_INSIGHTS = 20
MAX_VALUE_CHARACTERS = 2_000  # of one dimension: criteria grow with the conversation


def header(context: ConversationContext) -> Variables:
    """Account, offering, contact and known contacts, each on one line; empty where not known."""
    return {
        "account": _line(context.account),
        "industry": _line(context.industry),
        "offering": _line(context.offering),
        "contact": _line(", ".join(part for part in (context.contact_name, context.contact_title) if part)),
        "known_contacts": names(context.known_contacts),
    }


def names(people: Sequence[str]) -> str:
    """The first `MAX_NAMES` of them on one line."""
    return "; ".join(_line(name) for name in people[:MAX_NAMES])


def whole_conversation(turns: Sequence[Turn]) -> Variables:
    """Everything said so far, as far as it fits; `latest_turn` is the number of the last one."""
    return {"transcript": transcript.render(turns), "latest_turn": turns[-1].index}


def recent_conversation(turns: Sequence[Turn]) -> Variables:
    """The last turns, as `render_recent_turns` shows them."""
    return {"transcript": render_recent_turns(turns), "latest_turn": turns[-1].index}


def render_recent_turns(turns: Sequence[Turn]) -> str:
    """A transcript of the last `RECENT_TURNS` turns, at most `RECENT_CHARACTERS` of their text."""
    return transcript.render(turns, most=RECENT_TURNS, characters=RECENT_CHARACTERS)


def situation(state: ConversationState) -> Variables:
    """A compact summary of a state: who, where, what is known and missing, how deep, what to leave alone."""
    pain = PainDepthTracker.load(state)
    return {
        "persona": state.persona_type.value,
        "channel": state.last_channel.value if state.last_channel else "",
        "stage": state.deal_stage.value,
        "interaction_count": state.interaction_count,
        "interaction": state.interaction_count + 1,
        "known": _known(state.qualification),
        "gaps": ", ".join(dimension.value for dimension in state.qualification.gaps),
        "pain_depth": pain.depth.value,
        "pain_topics": _bullets(_topic(topic) for topic in pain.topics),
        "backing_off": PainDepthTracker.should_back_off(pain),
        "revisit_later": ", ".join(_line(name) for name in pain.revisit_later),
    }


def carried(state: ConversationState) -> Variables:
    """What the next conversation should begin with, beyond the situation: newest insights and people not yet met."""
    newest_first = open_contacts(state)[::-1]
    return {
        "insights": _bullets(_line(insight) for insight in state.qualification.key_insights[-MAX_SUMMARY_INSIGHTS:]),
        "open_contacts": _bullets(_person(entry) for entry in newest_first[:MAX_SUMMARY_PEOPLE]),
    }


def recommended(recommendation: QBSQuestionRecommendation) -> Variables:
    """One recommendation, in the words of the model's values."""
    return {
        "question_type": recommendation.question_type.value,
        "target": recommendation.meddic_bant_target.value,
        "delivery": recommendation.voss_delivery.value,
        "topic": _line(recommendation.topic),
        "suggested_question": _line(recommendation.suggested_question),
        "engagement": recommendation.engagement_signal.value,
        "should_probe_deeper": recommendation.should_probe_deeper,
    }


def of_extraction(context: ConversationContext, turn: Turn, history: Sequence[Turn]) -> Variables:
    """All that the prompt `extraction` can be told at `turn`; `history` is the turns before it."""
    return {**header(context), **whole_conversation((*history, turn))}


def of_question(state: ConversationState, turn: Turn, history: Sequence[Turn]) -> Variables:
    """All that the prompt `question` can be told at `turn`; `state` is the state before it."""
    said = {**situation(state), **recent_conversation((*history, turn))}
    if turn.channel is not None:
        said["channel"] = turn.channel.value
    return {**header(ConversationContext.of_state(state)), **said}


def of_expansion(text: str, existing_contacts: Sequence[str], context: ConversationContext) -> Variables:
    """All that the prompt `expansion` can be told of a rendered transcript, or of one message."""
    shown = transcript.as_transcript(text)
    return {
        **header(context),
        "known_contacts": names(existing_contacts),
        "transcript": shown,
        "latest_turn": transcript.latest_index(shown),
    }


def at_turn(state: ConversationState, turn: Turn, history: Sequence[Turn]) -> dict[str, Variables]:
    """What the three prompts of an analysis can be told at `turn`, by prompt; `state` is the state before it."""
    context = ConversationContext.of_state(state)
    recent = render_recent_turns((*history, turn))
    return {
        "extraction": of_extraction(context, turn, history),
        "question": of_question(state, turn, history),
        "expansion": of_expansion(recent, context.known_contacts, context),
    }


def seller_name(turns: Iterable[Turn]) -> str:
    """The name of the seller who spoke last; empty if no seller gave one."""
    sellers = [turn.name for turn in turns if turn.speaker is Speaker.SELLER and turn.name]
    return _line(sellers[-1]) if sellers else ""


def _known(qualification: QualificationState) -> str:
    known = ((d, qualification.signal(d)) for d in Dimension)
    return _bullets(_signal(dimension, signal) for dimension, signal in known if signal.identified)


def _signal(dimension: Dimension, signal: AnySignal) -> str:
    doubt = "" if signal.grounded else ", not confirmed in their own words"
    value = _shortened(_line(signal.value), MAX_VALUE_CHARACTERS)
    return f"{dimension.value}: {value} ({signal.confidence:.2f}{doubt})"


def _topic(topic: PainTopic) -> str:
    quote = f': "{_quote(topic.evidence[-1].quote)}"' if topic.evidence else ""
    return f"{_line(topic.name)} ({topic.depth}, asked about {_times(topic.probes)}){quote}"


def _person(entry: ExpansionEntry) -> str:
    trigger = entry.trigger
    about = "; ".join(_line(text) for text in (trigger.relationship_to_contact, trigger.expansion_approach) if text)
    return f"{_line(trigger.mentioned_name_or_role)} ({trigger.urgency}){f': {about}' if about else ''}"


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")


def _quote(text: str) -> str:
    return _shortened(_line(text), MAX_QUOTE_CHARACTERS)


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[:limit].rstrip() + " …"


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _line(text: str | None) -> str:
    """One line without tags: text that came from outside must open neither a new line nor a transcript."""
    return transcript.harmless(" ".join((text or "").split()))
