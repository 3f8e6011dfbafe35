"""The offline analyzer: everything the rules conclude from one customer turn. English only.

Deterministic, and of the same cost however long the conversation is: it reads the turn, the seller's last message
and the state. Only what the customer says in this turn is believed, and it is quoted verbatim.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.model.analysis import Analysis, Expansion, Extraction, Question, Source
from engine.model.conversation import Turn
from engine.model.state import ConversationState
from engine.rules.dimensions import qualification
from engine.rules.hearing import hear, strangers_in
from engine.rules.question import recommend
from engine.rules.sensed import sense_turn
from engine.rules.triggers import find_triggers


def analyze_by_rules(state: ConversationState, turn: Turn, history: Sequence[Turn]) -> Analysis:
    """What the rules conclude from `turn`, unguarded; every source is `rules`.

    `state` is the state before the turn, `history` the turns before it, whoever spoke. Never raises for a text.
    """
    heard = hear(state, turn, history)
    sensed = sense_turn(heard)
    recommendation = recommend(sensed)
    source = Source(kind="rules")
    return Analysis(
        extraction=Extraction(
            found=qualification(heard, sensed.found, recommendation.suggested_question), source=source
        ),
        question=Question(recommendation=recommendation, source=source),
        expansion=Expansion(triggers=find_triggers(heard, strangers_in(heard), sensed.engagement), source=source),
    )
