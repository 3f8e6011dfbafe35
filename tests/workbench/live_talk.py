"""A live conversation without a database: the carrier's words, read by rules, as they would be kept."""

from __future__ import annotations

from collections.abc import Sequence

from engine.advance import advance
from engine.folding import KeptTurn, with_opening
from engine.guardrails import guard
from engine.model.conversation import Speaker, Turn
from engine.model.state import ConversationState
from engine.rules import analyze_by_rules
from tests.workbench.prepared import conversation
from workbench.presenters.live_script import opening

CARRIER = conversation("carrier")
OPENING = opening(CARRIER).model_copy(update={"tenant_id": "a-tenant", "state_id": "a-state"})


def kept(turns: Sequence[Turn] = CARRIER.turns) -> tuple[ConversationState, tuple[KeptTurn, ...]]:
    """The state after these turns, and the turns with their analyses."""
    state, found = with_opening(OPENING), list[KeptTurn]()
    for turn in turns:
        analysis, history = None, [item.turn for item in found]
        if turn.speaker is Speaker.CUSTOMER:
            analysis = guard(state, turn, history, analyze_by_rules(state, turn, history))
            state = advance(state, turn, analysis)
        found.append(KeptTurn(turn, analysis))
    return state, tuple(found)
