"""A contact's row in Postgres as a short table: its columns, and which of them the newest message changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine import memory
from engine.model.qualification import Dimension, QualificationState
from engine.model.state import ConversationState
from workbench.presenters import figures
from workbench.presenters.words import CHANNELS, DEPTHS, PERSONAS, STAGES
from workbench.text import clip, count

if TYPE_CHECKING:
    from engine.state.repository import SavedState

_LONGEST = 70  # characters of a value


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the row. `before` is what it held before the newest message; None where that is what it holds."""

    name: str
    value: str
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes of `metadata["qbs"]`, and the most there may be."""

    used: int
    limit: int

    @property
    def share(self) -> float:
        return min(self.used / self.limit, 1.0)


def row(saved: SavedState, before: ConversationState | None) -> tuple[Column, ...]:
    """The columns that say something to people, in the table's own order. `before` is None if nothing was said yet."""
    earlier = {} if before is None else _values(before)
    now = _values(saved.state)
    columns = [
        Column(name, value, earlier[name] if earlier.get(name, value) != value else None) for name, value in now.items()
    ]
    return (*columns, Column("updated_at", figures.moment(saved.updated_at)), Column("version", str(saved.version)))


def qbs_size(state: ConversationState) -> Size:
    """How much of its room the engine's memory takes."""
    return Size(memory.size(state.metadata.get("qbs", {})), memory.LIMIT_BYTES)


def _values(state: ConversationState) -> dict[str, str]:
    return {
        "tenant_id": state.tenant_id,
        "account_id": clip(state.account_id, _LONGEST),
        "contact_id": clip(state.contact_id, _LONGEST),
        "deal_stage": STAGES[state.deal_stage].name,
        "persona_type": PERSONAS[state.persona_type].name,
        "qualification_data": _known(state.qualification),
        "confidence_score": figures.percent(state.confidence_score),
        "metadata.qbs": _remembered(state),
        "interaction_count": str(state.interaction_count),
        "last_interaction": figures.moment(state.last_interaction) or figures.UNKNOWN,
        "last_channel": CHANNELS[state.last_channel].name if state.last_channel else figures.UNKNOWN,
        "next_actions": clip("; ".join(state.next_actions), _LONGEST) or figures.UNKNOWN,
    }


def _known(qualification: QualificationState) -> str:
    quotes = sum(len(signal.evidence) for signal in qualification.signals.values())
    return f"{len(qualification.identified)} of {len(Dimension)} dimensions, {count(quotes, 'quote')}"


def _remembered(state: ConversationState) -> str:
    pain, people = memory.pain(state), memory.expansion(state).entries
    parts = [f"pain {DEPTHS[pain.depth].name.lower()}", count(len(pain.topics), "topic")]
    parts += [count(len(people), "person", "people"), f"{len(memory.asked(state))} asked"]
    return ", ".join(parts)
