"""The engine's words as people read them: a short name and one plain sentence for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.model.analysis import FallbackReason, GuardrailRule
from engine.model.conversation import Channel, DealStage, Persona, Speaker
from engine.model.qbs import EngagementSignal, PainDepthLevel, QBSQuestionType, Urgency, VossDelivery
from engine.model.qualification import Dimension
from evals.records import RunStatus, StateMode


@dataclass(frozen=True, slots=True)
class Word:
    """`name` fits on a badge, `meaning` in a tooltip."""

    name: str
    meaning: str


QUESTION_TYPES: Mapping[QBSQuestionType, Word] = {
    QBSQuestionType.PAIN_FUNNEL: Word(
        "Pain funnel", "Explores the problem one step deeper: what it is, what it costs, how it feels."
    ),
    QBSQuestionType.IMPACT: Word("Impact", "Asks what a problem already named leads to, in time, money or people."),
    QBSQuestionType.SOLUTION: Word("Solution", "Ties a need that was stated to something that could meet it."),
    QBSQuestionType.CONFIRMATION: Word(
        "Confirmation", "Checks understanding or earns a small next step. It does not dig."
    ),
}

DELIVERIES: Mapping[VossDelivery, Word] = {
    VossDelivery.MIRROR: Word("Mirror", "Repeats the customer's last few words, so that they go on."),
    VossDelivery.LABEL: Word("Label", "Names what the customer seems to feel or see: it sounds like ..."),
    VossDelivery.CALIBRATED_QUESTION: Word("Calibrated question", "An open how or what that invites thinking."),
    VossDelivery.ACCUSATION_AUDIT: Word(
        "Accusation audit", "Says first what the customer may be holding against the seller."
    ),
}

ENGAGEMENTS: Mapping[EngagementSignal, Word] = {
    EngagementSignal.HIGH_ENERGY: Word("High energy", "The customer tells more than was asked."),
    EngagementSignal.FACTUAL: Word("Factual", "The customer answers what was asked, and no more."),
    EngagementSignal.RESISTANT: Word("Resistant", "The customer deflects, pushes back or wants to stop."),
    EngagementSignal.TOPIC_SHIFT: Word("Topic shift", "The customer leads the conversation somewhere else."),
    EngagementSignal.EMOTIONAL_LANGUAGE: Word("Emotional", "The customer's words show how it feels."),
}

DEPTHS: Mapping[PainDepthLevel, Word] = {
    PainDepthLevel.NOT_EXPLORED: Word("Not explored", "No problem has been named yet."),
    PainDepthLevel.SURFACE: Word("Surface", "A problem has been named."),
    PainDepthLevel.BUSINESS_IMPACT: Word("Business impact", "What it costs the business has been said."),
    PainDepthLevel.EMOTIONAL: Word("Emotional", "What it does to the people has been said."),
}

DIMENSIONS: Mapping[Dimension, Word] = {
    Dimension.BUDGET: Word("Budget", "Is there money for it, and how much?"),
    Dimension.AUTHORITY: Word("Authority", "What may this contact decide?"),
    Dimension.NEED: Word("Need", "What do they need, in their own words?"),
    Dimension.TIMELINE: Word("Timeline", "By when does something have to happen?"),
    Dimension.METRICS: Word("Metrics", "Which figures would show that it worked?"),
    Dimension.ECONOMIC_BUYER: Word("Economic buyer", "Who can say yes to the money?"),
    Dimension.DECISION_CRITERIA: Word("Decision criteria", "What will they judge offers by?"),
    Dimension.DECISION_PROCESS: Word("Decision process", "Which steps lead to a decision, and who takes part?"),
    Dimension.PAIN: Word("Pain", "What hurts enough to change something?"),
    Dimension.CHAMPION: Word("Champion", "Who inside wants this to happen and will speak for it?"),
}

URGENCIES: Mapping[Urgency, Word] = {
    Urgency.IMMEDIATE: Word("Ask now", "Trust allows asking for an introduction in this conversation."),
    Urgency.NEXT_CONVERSATION: Word("Next conversation", "Ask for an introduction when you next talk."),
    Urgency.AFTER_TRUST_BUILDS: Word("Once there is trust", "Too early to ask; keep the name in mind."),
}

NO_ANSWER = "Nothing from this run at this message"

RULES: Mapping[GuardrailRule, Word] = {
    "ungrounded_evidence": Word("No quote found", "A conclusion without the customer's own words is trusted less."),
    "addresses_the_machine": Word(
        "Talks to the machine", "Customer text that gives orders to software is trusted less."
    ),
    "back_off": Word("Back off", "The customer has had enough of being asked; no digging now."),
    "emotional_depth": Word("Too personal too soon", "No questions about feelings in the first two interactions."),
    "one_question": Word("One question", "A message asks one thing only."),
    "jargon": Word("Jargon", "The methodology's own words are kept out of messages."),
    "repeated_question": Word("Asked before", "No question is asked twice in a conversation."),
    "known_contact": Word("Already known", "People who are known are not reported as new."),
    "too_early": Word("Too early", "Introductions are asked for only when trust allows."),
    "value_first": Word("Value first", "A reply gives or reflects something before it asks."),
    "placeholder": Word("Left to fill in", "A reply must be ready to be sent, with nothing left open in brackets."),
    "too_long": Word("Too long", "A reply is no longer than its channel bears."),
}

FALLBACKS: Mapping[FallbackReason, Word] = {
    FallbackReason.NO_RECORDING: Word("no recording", "No recorded answer exists for exactly this request."),
    FallbackReason.DEADLINE: Word("deadline", "The model had not answered when the turn's time was up."),
    FallbackReason.TIMEOUT: Word("timeout", "The provider did not answer in time."),
    FallbackReason.CONNECTION: Word("no connection", "Nobody answered, or the connection broke."),
    FallbackReason.SERVER_ERROR: Word("server error", "The provider reported an error of its own."),
    FallbackReason.RATE_LIMITED: Word("rate limit", "The provider asked for fewer requests."),
    FallbackReason.QUOTA_EXHAUSTED: Word("quota used up", "The account has no credit left; waiting does not help."),
    FallbackReason.NOT_AUTHORISED: Word("not authorised", "The provider did not accept the key."),
    FallbackReason.MODEL_NOT_FOUND: Word("unknown model", "The provider does not know a model of this name."),
    FallbackReason.BAD_REQUEST: Word("bad request", "The provider did not accept the request."),
    FallbackReason.CONTENT_POLICY: Word("content policy", "The provider refused the request."),
    FallbackReason.CONTEXT_TOO_LONG: Word("too long", "The conversation is longer than the model can read."),
    FallbackReason.TRUNCATED: Word("cut off", "The answer did not fit into its limit, twice."),
    FallbackReason.INVALID_REPLY: Word("invalid answer", "The answer did not have the agreed form."),
    FallbackReason.REFUSED: Word("refused", "The model refused, or answered in prose."),
    FallbackReason.EMPTY_REPLY: Word("empty answer", "The model answered with nothing."),
    FallbackReason.CIRCUIT_OPEN: Word("provider paused", "After many failures the provider is left alone for a while."),
    FallbackReason.LIMIT_REACHED: Word("limit reached", "The run's limit of calls, tokens, money or time was reached."),
    FallbackReason.UNEXPECTED: Word("unexpected error", "Something else went wrong; the log has its class."),
}

PERSONAS: Mapping[Persona, Word] = {
    Persona.IC: Word("Individual contributor", "The contact does the work and manages nobody."),
    Persona.MANAGER: Word("Manager", "The contact leads a team or a department."),
    Persona.C_SUITE: Word("Executive", "The contact leads the company or a large part of it."),
}

CHANNELS: Mapping[Channel, Word] = {
    Channel.EMAIL: Word("Email", "Written, hours or days apart."),
    Channel.CHAT: Word("Chat", "Written, moments apart."),
    Channel.CALL: Word("Call", "Spoken, as transcribed."),
}

STAGES: Mapping[DealStage, Word] = {
    DealStage.PROSPECTING: Word("Prospecting", "First contact; nothing is known yet."),
    DealStage.DISCOVERY: Word("Discovery", "Finding out what matters to them."),
    DealStage.QUALIFICATION: Word("Qualification", "Finding out whether a deal is possible."),
    DealStage.EVALUATION: Word("Evaluation", "They compare and test."),
    DealStage.NEGOTIATION: Word("Negotiation", "Terms are being settled."),
    DealStage.CLOSED_WON: Word("Won", "The deal is signed."),
    DealStage.CLOSED_LOST: Word("Lost", "The deal is lost."),
    DealStage.STALLED: Word("Stalled", "Nothing moves; it may resume."),
}

SPEAKERS: Mapping[Speaker, str] = {Speaker.SELLER: "Seller", Speaker.CUSTOMER: "Customer", Speaker.OTHER: "Other"}

STATUSES: Mapping[RunStatus, Word] = {
    RunStatus.RUNNING: Word("Running", "A process is adding turns to it at this moment."),
    RunStatus.INCOMPLETE: Word("Incomplete", "It was stopped; the same command again does what is missing."),
    RunStatus.COMPLETE: Word("Complete", "Every turn is there. A complete run never changes."),
}

STATE_MODES: Mapping[StateMode, Word] = {
    StateMode.CARRIED: Word("Carried", "Each turn starts from what the run itself concluded before."),
    StateMode.GOLD: Word("Gold", "Each turn starts from what the labels say was known before."),
    StateMode.FORK: Word("Fork", "Goes on from one turn of an earlier run."),
    StateMode.TURNS: Word("Turns", "Single turns, each from the state that an earlier run had there."),
}
