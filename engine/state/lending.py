"""Connections lent for a limited time, so that no server can keep anybody waiting longer."""

from __future__ import annotations

import asyncio
import weakref
from typing import cast

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.pool import PoolProxiedConnection

from engine.errors import DatabaseUnavailableError
from engine.state.driver import Driver
from engine.state.faults import DRIVER_ERRORS, unavailable
from engine.state.pool import is_dead, make_engine
from engine.state.statements import ROLLBACK


class Lender:
    """Lends at most `pool_size` connections at a time; who comes later waits.

    SQLAlchemy's pool makes them, and takes back those that it has seen used. One that carried known statements only
    goes to the next who asks as it is, which costs a tenth of the way through the pool.
    """

    def __init__(self, url: str, *, pool_size: int, timeout_s: float) -> None:
        self._url, self._timeout_s = url, timeout_s
        self._engine = make_engine(url, pool_size=pool_size, timeout_s=timeout_s)
        self._free = asyncio.Semaphore(pool_size)
        self._idle: list[PoolProxiedConnection] = []
        self.closed = False
        weakref.finalize(self, _close_all, self._idle)  # a program that just ends has closed them too

    async def lend(self, timeout_s: float) -> Loan:
        """A connection, for `timeout_s`. To wait for one, and to make one, takes as long at most, and never longer
        than is usual.

        Raises DatabaseUnavailableError if none becomes free or can be made in that time.
        """
        patience_s = min(timeout_s, self._timeout_s)
        await self._wait_for_one(patience_s)
        lent = None
        try:
            lent = self._at_hand() or await self._from_pool(patience_s)
            return Loan(self, lent, timeout_s)
        finally:
            if lent is None:
                self._free.release()

    async def aclose(self) -> None:
        """Close every connection that is not lent; the others are closed when they come back."""
        self.closed = True
        _close_all(self._idle)
        await self._engine.dispose()

    def take_back(self, lent: PoolProxiedConnection) -> None:
        """Take a clean connection back, or one that is closed."""
        if cast("Driver", lent.driver_connection).closed:
            lent.close()
        else:
            self._idle.append(lent)

    def released(self) -> None:
        """Let the next who waits have a connection."""
        self._free.release()

    def wrapped(self, lent: PoolProxiedConnection) -> AsyncConnection:
        """SQLAlchemy's connection around one that is lent."""
        return AsyncConnection(self._engine, Connection(self._engine.sync_engine, connection=lent))

    async def _wait_for_one(self, timeout_s: float) -> None:
        if not self._free.locked():
            await self._free.acquire()
            return
        try:
            async with asyncio.timeout(timeout_s):
                await self._free.acquire()
        except TimeoutError:
            raise DatabaseUnavailableError(f"no connection became free within {timeout_s:g} s") from None

    def _at_hand(self) -> PoolProxiedConnection | None:
        while self._idle:
            lent = self._idle.pop()
            if not is_dead(cast("Driver", lent.driver_connection)):
                return lent
            _close(lent)
        return None

    async def _from_pool(self, timeout_s: float) -> PoolProxiedConnection:
        try:
            async with asyncio.timeout(timeout_s):
                return await self._engine.raw_connection()
        except (TimeoutError, *DRIVER_ERRORS) as error:
            raise self._explained(error, timeout_s) from None

    def _explained(self, error: Exception, timeout_s: float) -> DatabaseUnavailableError:
        if isinstance(error, TimeoutError):
            return DatabaseUnavailableError(f"Postgres did not answer within {timeout_s:g} s")
        return unavailable(self._url, error)


def _close_all(idle: list[PoolProxiedConnection]) -> None:
    while idle:
        _close(idle.pop())


def _close(lent: PoolProxiedConnection) -> None:
    """Close a connection; the pool, which gets it back closed, makes another when it is asked."""
    cast("Driver", lent.driver_connection).finish()
    lent.close()


class Loan:
    """A connection that was lent. After `timeout_s` its line is cut, and `late` says so."""

    def __init__(self, lender: Lender, lent: PoolProxiedConnection, timeout_s: float) -> None:
        self.late = False
        self._lender, self._lent = lender, lent
        self.driver = cast("Driver", lent.driver_connection)
        self._connection: AsyncConnection | None = None
        self._orm: AsyncSession | None = None
        self._alarm = asyncio.get_running_loop().call_later(timeout_s, self._cut)

    @property
    def connection(self) -> AsyncConnection:
        """The same connection for anything: it is cleaned before somebody else gets it.

        Made only where it is wanted: on the quick way it would cost as much as the server's work.
        """
        if self._connection is None:
            self.driver.clean = False
            self._connection = self._lender.wrapped(self._lent)
        return self._connection

    @property
    def orm(self) -> AsyncSession:
        """SQLAlchemy's session on `connection`."""
        if self._orm is None:
            self._orm = AsyncSession(bind=self.connection, expire_on_commit=False)
        return self._orm

    async def flush(self) -> None:
        """Send what SQLAlchemy's session, if there is one, has not sent yet: changed rows, and a savepoint begun."""
        if self._orm is not None:
            await self._orm.flush()
            await self._orm.connection()

    async def give_back(self) -> None:
        """Roll back what is not committed, and return the connection; close it if that cannot be done.

        Raises nothing but CancelledError.
        """
        try:
            if self.driver.info.transaction_status is not TransactionStatus.IDLE:
                await self.driver.send(ROLLBACK)
        except psycopg.Error:
            self.driver.finish()
        except BaseException:
            self.driver.finish()
            raise
        finally:
            await self._return()

    async def discard(self) -> None:
        """Close the connection: the server then rolls back by itself."""
        self.driver.finish()
        await self._return()

    async def _return(self) -> None:
        try:
            if not self.driver.clean:
                await self._clean()
        finally:
            await self._hand_over()

    async def _clean(self) -> None:
        """Leave nothing of this transaction in the server's session; close the connection if that cannot be done."""
        try:
            if self._orm is not None:
                await self._orm.close()
            await self.driver.reset()
        except DRIVER_ERRORS:
            self.driver.finish()
        except BaseException:
            self.driver.finish()
            raise

    async def _hand_over(self) -> None:
        """To the pool, or as it is to the next who asks."""
        if self._lender.closed:
            self.driver.finish()
        try:
            if self._connection is None:
                self._lender.take_back(self._lent)
                return
            if self.driver.closed:
                await self._connection.invalidate()
            await self._connection.close()
        finally:
            self._alarm.cancel()
            self._lender.released()

    def _cut(self) -> None:
        self.late = True
        self.driver.cut()
