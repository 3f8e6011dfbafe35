"""What `qbs outcomes` says: outcomes, counts and reports, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from workbench.text import ago, clip, count, table

if TYPE_CHECKING:
    from engine.outcomes import OutcomeCount, OutcomeEvent, StandingOutcome


def outcome_facts(standing: StandingOutcome) -> dict[str, Any]:
    """An outcome for programs: one flat object, with what it is learned from under `details`."""
    own = standing.model_dump(mode="json", exclude={"outcome"})
    return standing.outcome.model_dump(mode="json") | own


def outcomes_text(found: Sequence[StandingOutcome], now: datetime) -> str:
    """A table of outcomes."""
    header = ["OUTCOME", "ASKED", "CONTACT", "ACTION", "WATCHED FOR", "SAID", "STATUS"]
    cells = [
        [
            str(each.outcome.outcome_id),
            ago(each.outcome.recommended_at, now),
            clip(f"{each.contact_id}, {each.account_id}", 30),
            each.outcome.action_type.removeprefix("qbs_"),
            each.outcome.outcome_type,
            f"{each.outcome.predicted_confidence:.2f}",
            each.status,
        ]
        for each in found
    ]
    return table(cells, header, right=[5])


def counts_text(counts: Sequence[OutcomeCount]) -> str:
    """A table of counts."""
    cells = [[each.outcome_type, each.action_type, each.status, f"{each.count:,}"] for each in counts]
    return table(cells, ["WATCHED FOR", "ACTION", "STATUS", "OUTCOMES"], right=[3])


def resolved_text(done: Sequence[Mapping[str, Any]]) -> str:
    """How many windows were found empty, and which tenants' could not be looked at."""
    total = sum(each["resolved"] for each in done)
    found = f"{count(total, 'window')} had closed with nothing in {'it' if total == 1 else 'them'}"
    lines = [f"{found if total else 'There was nothing to resolve'}, of {count(len(done), 'tenant')}."]
    return "\n".join(lines + [f"{each['tenant']}: {each['problem']}" for each in done if each["problem"]])


def events_text(events: Sequence[OutcomeEvent]) -> str:
    """What a report has recorded."""
    if not events:
        return "Nothing changed: it was reported already, or no question was waiting for it."
    return "\n".join(f"{event.outcome_id}: {event.kind}, {event.occurred_at:%Y-%m-%d %H:%M %Z}" for event in events)
