"""People whom the customer mentioned and whom the seller does not know yet."""

from __future__ import annotations

from dataclasses import dataclass

from engine import memory
from workbench.presenters.sides import Side
from workbench.presenters.words import URGENCIES, Word


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody mentioned, as the side remembers them after the turn."""

    name: str
    relationship: str
    approach: str
    quote: str
    urgency: Word
    new: bool


def people(side: Side, turn: int) -> tuple[Person, ...] | None:
    """Everybody known by then and not yet contacted; those whom this message brought come first.

    None where the side has no record of the turn.
    """
    before, after = side.before(turn), side.after(turn)
    if before is None or after is None:
        return None
    earlier = {entry.trigger.mentioned_name_or_role for entry in memory.expansion(before).entries}
    found = [
        Person(
            name=entry.trigger.mentioned_name_or_role,
            relationship=entry.trigger.relationship_to_contact,
            approach=entry.trigger.expansion_approach,
            quote=entry.trigger.context_quote,
            urgency=URGENCIES[entry.trigger.urgency],
            new=entry.trigger.mentioned_name_or_role not in earlier,
        )
        for entry in memory.expansion(after).entries
        if not entry.contacted
    ]
    return tuple(sorted(found, key=lambda person: not person.new))
