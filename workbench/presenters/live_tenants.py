"""What two tenants see of the same contact, in words: one its rows, the other nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sight:
    """What a tenant's own session answered when it was asked for the rows of one conversation: how many, by table."""

    tenant: str
    tenant_id: str
    rows: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.rows.values())


def seen(sight: Sight) -> tuple[str, ...]:
    """`1 in conversation_states`, `12 in messages`, ...; `0 rows` where there is nothing."""
    if not sight.total:
        return ("0 rows",)
    return tuple(f"{number:,} in {table}" for table, number in sight.rows.items())
