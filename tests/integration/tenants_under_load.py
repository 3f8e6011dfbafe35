"""Many tenants at once over few connections, their tasks cancelled at any moment, and what must be true afterwards.

All tenants have the same accounts and contacts, so that only the tenant tells their rows apart; each row says in
`contact_name` whose it is, written by who made it.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import psycopg
from sqlalchemy import text

from engine.errors import StateError
from engine.model.state import ConversationState
from engine.state.database import Database
from engine.state.repository import ConversationStateRepository
from engine.state.urls import DatabaseUrls

TENANTS = 20
CONNECTIONS = 4
AT_ONCE = 12
CANCELLED = 0.25
SOON_S = 0.05
ACCOUNT = "acme"


@dataclass
class Tenant:
    """What one tenant did, by contact: what it knows to be saved, what may be, and what must not be."""

    id: UUID = field(default_factory=uuid4)
    made: set[str] = field(default_factory=set)
    perhaps_made: set[str] = field(default_factory=set)
    never_made: set[str] = field(default_factory=set)
    counted: Counter[str] = field(default_factory=Counter)
    perhaps_counted: Counter[str] = field(default_factory=Counter)


@dataclass
class Tally:
    """How many transactions there were, how many were cancelled, and what went wrong, which is nothing."""

    transactions: int = 0
    cancelled: int = 0
    refused: int = 0
    foreign_rows: int = 0
    wrong_counts: int = 0


class Load:
    """A mix of transactions of many tenants; the same `seed` gives the same mix."""

    def __init__(self, urls: DatabaseUrls, *, seed: int) -> None:
        self._urls = urls
        self._random = random.Random(seed)
        self._tenants = [Tenant() for _ in range(TENANTS)]
        self._tally = Tally()

    async def run(self, transactions: int) -> Tally:
        """Begin `transactions` transactions, and check all that is left of them."""
        database = Database(self._urls.app, pool_size=CONNECTIONS, timeout_s=60)
        left = iter(range(transactions))
        try:
            await asyncio.gather(*(self._keep_going(database, left) for _ in range(AT_ONCE)))
        finally:
            await database.aclose()
        self._compare()
        return self._tally

    async def _keep_going(self, database: Database, left: Iterator[int]) -> None:
        for _ in left:
            await self._one(database)

    async def _one(self, database: Database) -> None:
        tenant = self._random.choice(self._tenants)
        kinds = (self._add, self._count, self._count, self._list, self._look, self._fail, self._poison)
        task = asyncio.create_task(self._random.choice(kinds)(database, tenant))
        if self._random.random() < CANCELLED:
            asyncio.get_running_loop().call_later(self._random.uniform(0, SOON_S), task.cancel)
        self._tally.transactions += 1
        try:
            await task
        except asyncio.CancelledError:
            self._tally.cancelled += 1
        except StateError:
            self._tally.refused += 1

    async def _add(self, database: Database, tenant: Tenant) -> None:
        contact = str(uuid4())
        tenant.perhaps_made.add(contact)
        async with database.tenant(tenant.id).begin() as session:
            await ConversationStateRepository(session).save(_state(tenant, contact), version=None)
        tenant.made.add(contact)

    async def _fail(self, database: Database, tenant: Tenant) -> None:
        contact = str(uuid4())
        tenant.never_made.add(contact)
        try:
            async with database.tenant(tenant.id).begin() as session:
                await ConversationStateRepository(session).save(_state(tenant, contact), version=None)
                raise KeyError(contact)
        except KeyError:
            return

    async def _count(self, database: Database, tenant: Tenant) -> None:
        if not tenant.made:
            return await self._add(database, tenant)
        contact = self._random.choice(sorted(tenant.made))
        tenant.perhaps_counted[contact] += 1
        async with database.tenant(tenant.id).begin() as session:
            repository = ConversationStateRepository(session)
            found = await repository.get(ACCOUNT, contact, lock=True)
            if found is None:
                self._tally.wrong_counts += 1
                return None
            changed = {"interaction_count": found.state.interaction_count + 1}
            await repository.save(found.state.model_copy(update=changed), version=found.version)
        tenant.counted[contact] += 1
        return None

    async def _list(self, database: Database, tenant: Tenant) -> None:
        async with database.tenant(tenant.id).begin() as session:
            page = await ConversationStateRepository(session).list(limit=50)
        self._see(tenant, [str(state.state.contact_name) for state in page.states])

    async def _look(self, database: Database, tenant: Tenant) -> None:
        sure = len(tenant.made)
        async with database.tenant(tenant.id).begin() as session:
            rows = await session.execute(text("select contact_name from qbs.conversation_states"))
            names = [str(name) for (name,) in rows]
        self._see(tenant, names)
        self._tally.wrong_counts += not sure <= len(names) <= len(tenant.perhaps_made)

    async def _poison(self, database: Database, tenant: Tenant) -> None:
        """Leave somebody else's tenant behind in the server's session."""
        other = self._random.choice(self._tenants)
        async with database.tenant(tenant.id).begin() as session:
            await session.execute(text("select set_config('app.tenant_id', :id, false)"), {"id": str(other.id)})

    def _see(self, tenant: Tenant, names: list[str]) -> None:
        self._tally.foreign_rows += sum(name != str(tenant.id) for name in names)

    def _compare(self) -> None:
        """What is there, as the maintenance role sees it, with what each tenant did."""
        query = "select contact_id, contact_name, interaction_count from qbs.conversation_states where tenant_id = %s"
        with psycopg.connect(self._urls.maintenance) as connection:
            for tenant in self._tenants:
                rows = connection.execute(query, [tenant.id]).fetchall()
                there = {contact: count for contact, _, count in rows}
                self._see(tenant, [name for _, name, _ in rows])
                self._tally.wrong_counts += not tenant.made <= there.keys() <= tenant.perhaps_made
                self._tally.wrong_counts += sum(
                    not tenant.counted[contact] <= count <= tenant.perhaps_counted[contact]
                    for contact, count in there.items()
                )


def _state(tenant: Tenant, contact: str) -> ConversationState:
    name = str(tenant.id)
    return ConversationState(state_id="", tenant_id=name, account_id=ACCOUNT, contact_id=contact, contact_name=name)
