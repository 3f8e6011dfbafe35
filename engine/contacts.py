"""People mentioned and not yet known: who may be reported, and what is remembered of them.

Remembered in `metadata["qbs"]["expansion"]`, one entry per person, at most `MAX_ENTRIES`, the newest kept.
Nothing here creates a stakeholder.
"""

from __future__ import annotations

from collections.abc import Iterable

from engine import memory
from engine.model.context import ConversationContext
from engine.model.qbs import ExpansionEntry, ExpansionState, ExpansionTrigger, Urgency
from engine.model.state import ConversationState
from engine.people import normalise_mention, same_person
from engine.wording import shortened

MAX_ENTRIES = 20
TRUST_AFTER_INTERACTIONS = 3

MAX_QUOTE_CHARACTERS = 140

_LIMITS = {"mentioned_name_or_role": 80, "relationship_to_contact": 80, "expansion_approach": 160}


def allowed_triggers(
    triggers: Iterable[ExpansionTrigger], existing_contacts: Iterable[str], interaction_count: int
) -> tuple[ExpansionTrigger, ...]:
    """The triggers that may be reported: nobody known, nobody twice, nobody `immediate` before trust."""
    known = list(existing_contacts)
    allowed: list[ExpansionTrigger] = []
    for trigger in triggers:
        name = trigger.mentioned_name_or_role
        if normalise_mention(name) and not any(same_person(name, other) for other in known):
            known.append(name)
            allowed.append(_not_too_soon(trigger, interaction_count))
    return tuple(allowed)


def known_contacts(state: ConversationState) -> tuple[str, ...]:
    """The contact, whom the seller knew in the account before the conversation, and who was contacted since."""
    before = ConversationContext.of_state(state).known_contacts
    since = (e.trigger.mentioned_name_or_role for e in memory.expansion(state).entries if e.contacted)
    return tuple(name for name in (state.contact_name, *before, *since) if name)


def remember(expansion: ExpansionState, triggers: Iterable[ExpansionTrigger], interaction: int) -> ExpansionState:
    """A new state that holds the triggers, the newest last. `interaction` is the count before this message."""
    for trigger in triggers:
        expansion = _remember_one(expansion, trigger, interaction)
    return expansion


def archive_contacted(expansion: ExpansionState, name: str) -> ExpansionState:
    """Mark a person as contacted: kept, but no longer open."""
    return expansion.model_copy(
        update={
            "entries": tuple(
                entry.model_copy(update={"contacted": True})
                if same_person(entry.trigger.mentioned_name_or_role, name)
                else entry
                for entry in expansion.entries
            )
        }
    )


def open_contacts(state: ConversationState) -> tuple[ExpansionEntry, ...]:
    """The people mentioned and not yet contacted, the newest last."""
    return tuple(entry for entry in memory.expansion(state).entries if not entry.contacted)


def _not_too_soon(trigger: ExpansionTrigger, interaction_count: int) -> ExpansionTrigger:
    if trigger.urgency is Urgency.IMMEDIATE and interaction_count < TRUST_AFTER_INTERACTIONS:
        return trigger.model_copy(update={"urgency": Urgency.NEXT_CONVERSATION})
    return trigger


def _remember_one(expansion: ExpansionState, trigger: ExpansionTrigger, interaction: int) -> ExpansionState:
    trigger = _shortened(trigger)
    name = trigger.mentioned_name_or_role
    earlier = next((e for e in expansion.entries if same_person(e.trigger.mentioned_name_or_role, name)), None)
    if earlier is None:
        entry = ExpansionEntry(trigger=trigger, first_seen=interaction, last_seen=interaction)
    else:
        entry = earlier.model_copy(update={"last_seen": interaction, "mentions": earlier.mentions + 1})
    entries = (*(e for e in expansion.entries if e is not earlier), entry)
    dropped = max(0, len(entries) - MAX_ENTRIES)
    return expansion.model_copy(update={"entries": entries[dropped:], "dropped": expansion.dropped + dropped})


def _shortened(trigger: ExpansionTrigger) -> ExpansionTrigger:
    """The trigger with its texts within their limits; the quote stays verbatim, so it only loses its end."""
    texts = {field: shortened(getattr(trigger, field), limit) for field, limit in _LIMITS.items()}
    quote = shortened(trigger.context_quote, MAX_QUOTE_CHARACTERS).removesuffix("…")
    return trigger.model_copy(update={**texts, "context_quote": quote})
