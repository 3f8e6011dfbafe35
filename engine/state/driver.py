"""The driver's connection, with statements prepared once and sent several at a time in one round trip.

psycopg's own `execute` costs the client more than the server's work on a small statement, and one round trip each.
`Driver.send` uses what libpq offers below it, pipeline mode and prepared statements; everything else about the
connection stays psycopg's, so that SQLAlchemy works on the same connection in the same transaction.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, TypeAlias

from psycopg import AsyncConnection, OperationalError, errors
from psycopg import adapters as default_adapters
from psycopg.abc import Buffer, PQGen
from psycopg.adapt import AdaptersMap, Loader, Transformer
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.waiting import Wait

from engine.state.statements import DISCARD_ALL, ROLLBACK, Call, Statement

Row: TypeAlias = dict[str, Any]
CANCEL_SECONDS = 1.0

_FAILED = (ExecStatus.FATAL_ERROR, ExecStatus.BAD_RESPONSE, ExecStatus.PIPELINE_ABORTED)


class JSONText(Loader):
    """A JSON column as its bytes: who reads it validates it, and need not build it twice."""

    def load(self, data: Buffer) -> bytes:
        return bytes(data)


class _Reading:
    """How rows are read here: as psycopg reads them, JSON apart."""

    def __init__(self, connection: Driver) -> None:
        self.connection = connection
        self.adapters = AdaptersMap(default_adapters)
        self.adapters.register_loader("json", JSONText)
        self.adapters.register_loader("jsonb", JSONText)


class Driver(AsyncConnection[Any]):
    """A psycopg connection that can also send a whole batch of known statements at once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clean = True  # whether nothing can have been left in the server's session
        self._known: set[bytes] = set()
        self._reading = Transformer(_Reading(self))

    async def send(self, *calls: Call) -> list[list[Row]]:
        """The rows of each statement, all sent in one round trip; after one that fails, none is executed.

        Raises psycopg's error of the first that failed. Whether a transaction is open is the caller's affair.
        """
        unknown = {call.statement.name: call.statement for call in calls if call.statement.name not in self._known}
        unknown.pop(b"", None)
        self.clean = self.clean and all(call.statement.leaves_nothing for call in calls)
        async with self.lock:
            results = await self.wait(_exchange(self.pgconn, self._known, list(unknown.values()), calls))
        return [self._rows(call.statement, result) for call, result in zip(calls, results, strict=True)]

    async def reset(self) -> None:
        """Forget whatever a transaction may have left behind in the server's session: settings, cursors that are
        held, advisory locks, prepared plans, listening, temporary tables.
        """
        if self.info.transaction_status is not TransactionStatus.IDLE:
            await self.send(ROLLBACK)
        self._known.clear()
        await self.send(DISCARD_ALL)
        self.clean = True

    def finish(self) -> None:
        """Close it at once, without a word to the server, which then rolls back by itself."""
        self.pgconn.finish()

    def cut(self) -> None:
        """Break the connection off at once, also while it waits: whoever waits gets an OperationalError."""
        if self.closed:
            return
        with suppress(OSError), socket.socket(fileno=os.dup(self.pgconn.socket)) as line:  # the other end may be gone
            line.shutdown(socket.SHUT_RDWR)

    async def cancel_safe(self, *, timeout: float = CANCEL_SECONDS) -> None:  # noqa: ASYNC109  # psycopg's word
        """As psycopg's, which is asked when a task is cancelled, but never for longer than a second."""
        await super().cancel_safe(timeout=min(timeout, CANCEL_SECONDS))

    def _rows(self, statement: Statement, result: PGresult) -> list[Row]:
        if not statement.columns or not result.ntuples:
            return []
        self._reading.set_pgresult(result)
        rows = self._reading.load_rows(0, result.ntuples, tuple)
        return [dict(zip(statement.columns, row, strict=True)) for row in rows]


def _exchange(
    pgconn: PGconn, known: set[bytes], unknown: Sequence[Statement], calls: Sequence[Call]
) -> PQGen[list[PGresult]]:
    """Prepare what is unknown, execute the calls, read every answer: the connection can then be used again.

    What has been prepared stays so after an error or a rollback: it is added to `known` before anything is raised.
    """
    pgconn.enter_pipeline_mode()
    for statement in unknown:
        pgconn.send_prepare(statement.name, statement.sql)
    for call in calls:
        if call.statement.name:
            pgconn.send_query_prepared(call.statement.name, call.parameters)
        else:
            pgconn.send_query_params(call.statement.sql, call.parameters)
    pgconn.pipeline_sync()
    while pgconn.flush():
        yield Wait.RW
        pgconn.consume_input()
    results = yield from _until_sync(pgconn)
    pgconn.exit_pipeline_mode()
    known.update(made.name for made, result in zip(unknown, results, strict=False) if result.status not in _FAILED)
    for result in results:
        if result.status in _FAILED:
            raise errors.error_from_result(result)
    return results[len(unknown) :]


def _until_sync(pgconn: PGconn) -> PQGen[list[PGresult]]:
    results: list[PGresult] = []
    between = False
    while True:
        while pgconn.is_busy():
            yield Wait.R
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is None:
            if between:  # two ends in a row: nothing more will come
                raise OperationalError("the connection is lost")
            between = True
        elif result.status == ExecStatus.PIPELINE_SYNC:
            return results
        else:
            between = False
            results.append(result)
