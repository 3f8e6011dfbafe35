"""The pool of connections: how each is made, found dead, and cleaned before somebody else gets it."""

from __future__ import annotations

from typing import Any

import psycopg
from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import PoolResetState

from engine.state.driver import Driver
from engine.state.urls import parts_of

POOL_SIZE = 8
TIMEOUT_S = 5.0


def make_engine(url: str, *, pool_size: int, timeout_s: float) -> AsyncEngine:
    """An engine that opens nothing yet. Raises ConfigurationError for an address that cannot be read."""
    told = {**parts_of(url), **_told_by_us(url, timeout_s)}
    engine = create_async_engine(
        "postgresql+psycopg://",  # the address itself, and its password, are never in the engine's own texts
        async_creator=lambda: Driver.connect(**told),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=timeout_s,
        pool_use_lifo=True,
        pool_reset_on_return=None,  # who lends them cleans them
        hide_parameters=True,
        use_native_hstore=False,
    )
    event.listen(engine.sync_engine, "checkout", _find_out_if_dead)
    event.listen(engine.sync_engine, "reset", _close_unless_clean)
    return engine


def is_dead(driver: Driver) -> bool:
    """Whether the connection is closed, without asking the server: its last word, good-bye, is waiting to be read."""
    if driver.closed:
        return True
    try:
        driver.pgconn.consume_input()
        driver.pgconn.consume_input()
    except psycopg.Error:
        return True
    return False


def _told_by_us(url: str, timeout_s: float) -> dict[str, Any]:
    """Limits that the server keeps by itself, the shorter the more it hurts others; they survive every reset."""
    shares = {"statement_timeout": 0.8, "lock_timeout": 0.6, "idle_in_transaction_session_timeout": 1.0}
    limits = [f"-c {name}={max(1, int(timeout_s * share * 1000))}" for name, share in shares.items()]
    return {
        "connect_timeout": max(2, round(timeout_s)),
        "prepare_threshold": None,  # a reset drops what psycopg would prepare
        "application_name": "qbs",
        "client_encoding": "UTF8",  # whatever PGCLIENTENCODING says: text is sent as UTF-8
        "options": " ".join([parts_of(url).get("options", ""), "-c timezone=UTC -c datestyle=ISO", *limits]).strip(),
    }


def _find_out_if_dead(connection: Any, record: Any, proxy: Any) -> None:
    if is_dead(connection.driver_connection):
        raise DisconnectionError("the connection is closed")


def _close_unless_clean(connection: Any, record: Any, state: PoolResetState) -> None:
    """Before a connection goes back to the pool: nothing of one tenant's session reaches the next."""
    driver: Driver = connection.driver_connection
    if not driver.clean and not driver.closed:
        driver.finish()
