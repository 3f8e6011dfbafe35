"""Looking at a server as it would be after a change that is never made: all of it is rolled back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from psycopg import AsyncConnection as Driver
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from engine.state.roles import APP


@asynccontextmanager
async def changed(superuser: str, *changes: str, role: str | None = APP) -> AsyncIterator[AsyncConnection]:
    """A transaction of a superuser's with the changes in it, continued as `role` (None: as the superuser)."""
    engine = create_async_engine(
        "postgresql+psycopg://", async_creator=lambda: Driver.connect(superuser), poolclass=NullPool
    )
    async with engine.connect() as connection:
        await run(connection, changes)
        if role:
            await connection.exec_driver_sql(f"set local role {role}")
        yield connection
        await connection.rollback()
    await engine.dispose()


async def run(connection: AsyncConnection, statements: Sequence[str]) -> None:
    for statement in statements:
        await connection.exec_driver_sql(statement)
