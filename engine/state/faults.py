"""What went wrong in Postgres, as the errors of this project: class and code, never a statement or a value."""

from __future__ import annotations

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from engine.errors import DatabaseUnavailableError, StateError

DRIVER_ERRORS = (psycopg.Error, DBAPIError, PoolTimeoutError)

# The first two characters of a code, or all five, that mean: it may work later.
_LATER = {
    "08": "the connection broke",
    "53": "the server has no room left",
    "57P01": "the server is being stopped",
    "57P02": "the server is restarting after a crash",
    "57P03": "the server is starting or stopping",
    "57P05": "the connection was idle for too long",
    "25P03": "the transaction was idle for too long",
    "25P04": "the transaction took too long",
    "55P03": "a row stayed locked by somebody else for too long",
    "57014": "a statement took too long",
    "40P01": "two transactions waited for each other",
    "40001": "two transactions changed the same rows",
}


def state_error(error: BaseException) -> StateError:
    """The project's error for one of psycopg or SQLAlchemy, raised over a connection that was there."""
    cause = driver_error(error)
    code = _code(cause)
    if is_lost(cause):
        return DatabaseUnavailableError(f"the connection to Postgres was lost ({_name(cause)})")
    if reason := _LATER.get(code) or _LATER.get(code[:2]):
        return DatabaseUnavailableError(f"Postgres gave up: {reason} ({_name(cause)})")
    return StateError(f"Postgres refused a statement ({_name(cause)})")


def is_lost(error: BaseException) -> bool:
    """Whether the connection itself is gone, so that another one may work."""
    cause = driver_error(error)
    if code := _code(cause):
        return code.startswith("08") or code in ("57P01", "57P02", "57P05")
    return isinstance(cause, (psycopg.OperationalError, psycopg.InterfaceError))


def driver_error(error: BaseException) -> BaseException:
    """psycopg's own error behind SQLAlchemy's."""
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


def _code(error: BaseException) -> str:
    return getattr(error, "sqlstate", None) or ""


def _name(error: BaseException) -> str:
    return ", ".join([type(error).__name__, *([_code(error)] if _code(error) else [])])
