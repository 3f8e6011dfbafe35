"""The way to production state: transactions that belong to one tenant each, over a pool of connections.

    database = Database(url)
    async with database.tenant("acme").begin() as session:
        ...                       # everything in here is one transaction of this tenant

The tenant is set here and nowhere else, inside each transaction, so that it ends with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Executable, Result
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from engine.errors import DatabaseUnavailableError, StateError, UnsafeDatabaseError
from engine.state.driver import Row
from engine.state.faults import DRIVER_ERRORS, is_lost, state_error
from engine.state.inquiry import Inquiry
from engine.state.lending import Lender, Loan
from engine.state.pool import POOL_SIZE, TIMEOUT_S
from engine.state.statements import BEGIN, COMMIT, SET_LIMITS, SET_TENANT, Call
from engine.state.stored import Stored
from engine.state.tenants import tenant_uuid

T = TypeVar("T")


class Database:
    """A Postgres server holding production state. Opens nothing until it is used; belongs to one event loop.

    Before the first transaction it makes sure, once, that tenants cannot meet in it (`preflight`).

    `timeout_s` limits each of: waiting for a connection, making one, and a transaction from its first statement on.
    """

    def __init__(self, url: str, *, pool_size: int = POOL_SIZE, timeout_s: float = TIMEOUT_S) -> None:
        self.timeout_s = timeout_s
        self.lender = Lender(url, pool_size=pool_size, timeout_s=timeout_s)
        self._looking = asyncio.Lock()
        self._is_safe = False

    def tenant(self, tenant: UUID | str) -> TenantSessions:
        """The sessions of one tenant. Raises TenantRequiredError when none is given."""
        return TenantSessions(self, tenant_uuid(tenant))

    async def preflight(self) -> None:
        """Make sure that tenants cannot meet in this database, before anything is read or written.

        Raises UnsafeDatabaseError with every problem and its remedy, SchemaVersionError if the schema is not the
        one this program was written for, DatabaseUnavailableError if Postgres does not answer.
        """
        from engine.state.preflight import problems

        async with self.connection() as connection:
            found = await problems(connection)
        if found:
            raise UnsafeDatabaseError(found)
        self._is_safe = True

    async def ensure_safe(self) -> None:
        """The preflight, unless it has been passed. Raises as that does."""
        if self._is_safe:
            return
        async with self._looking:  # of many that begin at once, one looks
            if not self._is_safe:
                await self.preflight()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """SQLAlchemy's connection without a tenant, for questions about the server itself: no row is seen.

        What is not committed is rolled back. Raises DatabaseUnavailableError and StateError.
        """
        loan = await self.lender.lend(self.timeout_s)
        try:
            yield loan.connection
        except DRIVER_ERRORS as error:
            raise _explained(error, loan, self.timeout_s) from None
        finally:
            await loan.give_back()

    async def aclose(self) -> None:
        """Close every connection that is not in use; the others are closed when their transaction ends."""
        await self.lender.aclose()


class TenantSessions:
    """Makes the transactions of one tenant."""

    def __init__(self, database: Database, tenant_id: UUID) -> None:
        self.tenant_id = tenant_uuid(tenant_id)
        self._database = database
        self._opening = (BEGIN, SET_TENANT(tenant_id=str(self.tenant_id)))

    @asynccontextmanager
    async def begin(self, *, timeout_s: float | None = None) -> AsyncIterator[TenantSession]:
        """One transaction: committed at the end, rolled back after any error and when the task is cancelled.

        `timeout_s` is for work on whole sets, which needs longer than the database's usual limit. Raises
        DatabaseUnavailableError when Postgres is not there or does not answer in time (when it comes from the
        end of the block, whether the transaction was committed is not known), StateError for what it refuses, and
        before the first transaction of all what `Database.preflight` raises.
        """
        session = TenantSession(self._database, self.tenant_id, self._opening, timeout_s)
        try:
            yield session
            await session._commit()
        except DRIVER_ERRORS as error:
            raise session._explained(error) from None
        finally:
            await session._end()


class TenantSession:
    """A transaction of one tenant. Reaches the server with its first statement; used by one task at a time.

    `send` is the quick way, for the hot statements, which `engine.state.statements` compiles once; `execute` and `orm`
    are the way for any statement that is not hot.
    """

    def __init__(self, database: Database, tenant_id: UUID, opening: tuple[Call, ...], timeout_s: float | None) -> None:
        self.tenant_id = tenant_id
        self._lender, self._ensure_safe = database.lender, database.ensure_safe
        self._timeout_s = database.timeout_s if timeout_s is None else timeout_s
        own_limits = () if timeout_s is None else (SET_LIMITS(milliseconds=str(int(timeout_s * 1000))),)
        self._opening = (*opening, *own_limits)
        self._loan: Loan | None = None
        self._later: list[Call] = []
        self.seen: dict[UUID, Stored] = {}  # by state: what this transaction has read or saved
        self._over = False

    async def send(self, *calls: Call) -> list[list[Row]]:
        """The rows of each statement, as dictionaries; JSON columns as bytes. All go in one round trip."""
        if self._loan is None:
            return await self._open(calls)
        later, self._later = self._later, []
        await self._loan.flush()
        answers = await self._loan.driver.send(*later, *calls)
        if not all(answers[: len(later)]):
            raise StateError("a statement that could not miss its row has missed it; look for a trigger on the table")
        return answers[len(later) :]

    async def ask(self, inquiry: Inquiry[T]) -> T:
        """What was asked for, in one round trip."""
        return inquiry.read(await self.send(*inquiry.calls))

    async def send_later(self, call: Call) -> None:
        """Send a statement with whatever is sent next, at the latest with the commit: this saves a round trip.

        Only for one that gives back a row, or fails: it adds one, or changes one which this transaction has locked.
        """
        if self._loan is not None and self._loan.driver.clean:
            self._later.append(call)
        else:  # a savepoint may end before the commit
            await self.send(call)

    async def execute(
        self, statement: Executable, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> Result[Any]:
        """Any statement of SQLAlchemy's that is not hot, Core or ORM, in this transaction."""
        orm = await self.orm()
        return await orm.execute(statement, parameters)

    async def orm(self) -> AsyncSession:
        """SQLAlchemy's session on this transaction, for whatever is not hot and wants objects for its rows.

        It must neither commit nor roll back; `begin_nested` is fine.
        """
        return (await self._opened()).orm

    async def connection(self) -> AsyncConnection:
        """SQLAlchemy's connection in this transaction. What it leaves in the server's session is cleared afterwards."""
        return (await self._opened()).connection

    async def _opened(self) -> Loan:
        if self._loan is None or self._later:
            await self.send()
        if self._loan is None:
            raise StateError(_OVER)
        self.seen.clear()  # any statement may come now
        return self._loan

    async def _open(self, calls: Sequence[Call]) -> list[list[Row]]:
        """Begin, set the tenant, send the first statements. On a connection that proves dead, once again on another:
        nothing has been committed, and nobody has seen an answer.
        """
        if self._over:
            raise StateError(_OVER)
        await self._ensure_safe()
        self._loan = await self._lender.lend(self._timeout_s)
        try:
            answers = await self._loan.driver.send(*self._opening, *calls)
        except psycopg.Error as error:
            if self._loan.late or not is_lost(error):
                raise
            lost, self._loan = self._loan, None
            await lost.discard()
            self._loan = await self._lender.lend(self._timeout_s)
            answers = await self._loan.driver.send(*self._opening, *calls)
        return answers[len(self._opening) :]

    async def _commit(self) -> None:
        if self._loan is None:
            return
        if self._loan.driver.info.transaction_status is not TransactionStatus.INTRANS:
            raise StateError("the transaction was ended inside its block, or an error in it passed over: nothing saved")
        await self.send(COMMIT)

    async def _end(self) -> None:
        self._over = True
        loan, self._loan = self._loan, None
        if loan is not None:
            await loan.give_back()

    def _explained(self, error: BaseException) -> StateError:
        return _explained(error, self._loan, self._timeout_s)


def _explained(error: BaseException, loan: Loan | None, timeout_s: float) -> StateError:
    if loan is not None and loan.late:
        return DatabaseUnavailableError(f"the transaction was given up after {timeout_s:g} s without an end")
    return state_error(error)


_OVER = "this session is over: begin another"
