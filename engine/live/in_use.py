"""What is in use for a tenant, as a running engine knows it: published anew, it arrives without a restart.

A tenant's own counts before everybody's.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

import structlog

from engine.errors import StateError
from engine.state.database import Database, TenantSession
from engine.state.tenants import EVERYBODY, tenant_uuid

T = TypeVar("T")
Look = Callable[[TenantSession], Awaitable[T | None]]
Clock = Callable[[], float]

REFRESH_S = 20.0
WAIT_S = 0.25  # at most, of a turn
FIRST_WAIT_S = 1.5  # at most, of a turn that would otherwise know nothing of what is in use
RETRY_S = 5.0  # after Postgres did not answer
DATABASE_S = 3.0  # for one look at Postgres
MOST_TENANTS = 10_000  # that are remembered


@dataclass(slots=True)
class _Known(Generic[T]):
    """What is known of one tenant; `own` is None if it has nothing of its own."""

    own: T | None = None
    asked_at: float | None = None
    answered_at: float | None = None
    asking: asyncio.Task[None] | None = None


class InUse(Generic[T]):
    """What `look` finds in Postgres for each tenant. Belongs to one event loop.

    What is known counts for `refresh_s` seconds; then it is asked for again, beside the turn that found it old, which
    waits at most `wait_s` for it, and not at all before it is twice as old. Where nothing was ever known a turn waits
    longer, so that the first message to a new process is not read with other prompts than the second. While it cannot
    be had, the last known stays in use. `what` names it in the log.
    """

    def __init__(
        self,
        database: Database,
        look: Look[T],
        what: str,
        *,
        refresh_s: float = REFRESH_S,
        wait_s: float = WAIT_S,
        clock: Clock = time.monotonic,
    ) -> None:
        self._database, self._look, self._what = database, look, what
        self._refresh_s, self._wait_s, self._clock = refresh_s, wait_s, clock
        self._known: OrderedDict[UUID, _Known[T]] = OrderedDict()

    async def of(self, tenant: UUID | str) -> T | None:
        """What is in use for a tenant, None if nothing is, or nothing is known yet. Never raises for Postgres."""
        own, everybody = self._of(tenant_uuid(tenant)), self._of(EVERYBODY)
        if waiting := {known.asking for known in (own, everybody) if known.asking and self._is_overdue(known)}:
            unknown = own.answered_at is None or everybody.answered_at is None
            await asyncio.wait(waiting, timeout=max(self._wait_s, FIRST_WAIT_S) if unknown else self._wait_s)
        return everybody.own if own.own is None else own.own

    async def refresh(self) -> None:
        """Ask Postgres now for everything that is known, and wait for it."""
        for tenant, known in self._known.items():
            if known.asking is None:
                self._ask(tenant, known)
        if asking := [known.asking for known in self._known.values() if known.asking]:
            await asyncio.wait(asking)

    async def aclose(self) -> None:
        """Give up what is being asked for. The database is not closed: it belongs to whoever made it."""
        asking = [known.asking for known in self._known.values() if known.asking]
        for task in asking:
            task.cancel()
        if asking:
            await asyncio.wait(asking)

    def _of(self, tenant: UUID) -> _Known[T]:
        known = self._known.setdefault(tenant, _Known())
        self._known.move_to_end(tenant)
        if known.asking is None and self._is_due(known):
            self._ask(tenant, known)
        while len(self._known) > MOST_TENANTS:
            self._known.popitem(last=False)
        return known

    def _is_due(self, known: _Known[T]) -> bool:
        if known.asked_at is None:
            return True
        answered = known.answered_at is not None and known.answered_at >= known.asked_at
        return self._clock() - known.asked_at >= (self._refresh_s if answered else min(RETRY_S, self._refresh_s))

    def _is_overdue(self, known: _Known[T]) -> bool:
        return known.answered_at is None or self._clock() - known.answered_at >= 2 * self._refresh_s

    def _ask(self, tenant: UUID, known: _Known[T]) -> None:
        known.asked_at = self._clock()
        known.asking = asyncio.create_task(self._asked(tenant, known))

    async def _asked(self, tenant: UUID, known: _Known[T]) -> None:
        log = structlog.get_logger(__name__)
        try:
            async with asyncio.timeout(DATABASE_S), self._database.tenant(tenant).begin() as session:
                found = await self._look(session)
            known.own, known.answered_at = found, self._clock()
        except (StateError, TimeoutError) as error:
            log.warning("not known anew", what=self._what, tenant=str(tenant), error=type(error).__name__)
        except Exception as defect:  # noqa: BLE001  # no turn may fail on account of what was published
            log.error("not known anew", what=self._what, tenant=str(tenant), error=type(defect).__name__)
        finally:
            known.asking = None
