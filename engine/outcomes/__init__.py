"""Outcomes: recommendations that were made, what happened after them, and where that leaves each. Facts only.

    outcomes = await record_qbs_outcome(session, state, turn, analysis)
    await OutcomeTracker(session).record_reply(state.state_id, at=received, key=message_id)
    await resolve_closed(session)                   # for a scheduler: what has not been answered by now

docs/outcomes.md says what counts as what, and why.
"""

from engine.model.outcome import (
    EventKind,
    OfferedChoice,
    Outcome,
    OutcomeCount,
    OutcomeCursor,
    OutcomeDetails,
    OutcomeEvent,
    OutcomePage,
    OutcomeStatus,
    OutcomeType,
    StandingOutcome,
)
from engine.outcomes.closing import resolve_closed
from engine.outcomes.reading import count_outcomes, list_outcomes, outcome_events
from engine.outcomes.recording import action_type_of, outcome_details, record_qbs_outcome, recording_outcomes
from engine.outcomes.tracker import OutcomeTracker

__all__ = [
    "EventKind",
    "OfferedChoice",
    "Outcome",
    "OutcomeCount",
    "OutcomeCursor",
    "OutcomeDetails",
    "OutcomeEvent",
    "OutcomePage",
    "OutcomeStatus",
    "OutcomeTracker",
    "OutcomeType",
    "StandingOutcome",
    "action_type_of",
    "count_outcomes",
    "list_outcomes",
    "outcome_details",
    "outcome_events",
    "record_qbs_outcome",
    "recording_outcomes",
    "resolve_closed",
]
