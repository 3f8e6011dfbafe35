"""What went wrong in Postgres, as the errors of this project: class and code, never a statement or a value."""

from __future__ import annotations

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from engine.errors import DatabaseUnavailableError, StateError
from engine.state.urls import without_password

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

# What libpq says of a connection that was not made; it gives no code. (said, what it means, what to do)
_NOT_MADE = (
    ("password authentication failed", "the role or its password is not accepted", "correct the address"),
    ("no password supplied", "the address has no password", "add it: postgresql://ROLE:PASSWORD@HOST:5432/DATABASE"),
    ("no pg_hba.conf entry", "the server does not let this role in from here", "add it to the server's pg_hba.conf"),
    ("pg_hba.conf rejects", "the server does not let this role in from here", "add it to the server's pg_hba.conf"),
    ("too many clients", "it has no connection left", "wait, or raise its max_connections"),
    ("remaining connection slots", "it has no connection left", "wait, or raise its max_connections"),
    ("the database system is", "it is starting, stopping or recovering", "try again in a moment"),
    ("server does not support SSL", "it speaks no TLS", "set TLS up there: state is not sent in the clear"),
    (
        "certificate",
        "its certificate is not trusted",
        "correct sslrootcert in the address, or the server's certificate",
    ),
    ("translate host name", "its host is not known", "correct the address"),
    ("failed to resolve host", "its host is not known", "correct the address"),
    ("No such file or directory", "nobody answers there", "start the server, or correct the address"),
    ("does not exist", "it has no such role or database", "correct the address, or make what is missing"),
)
_NOBODY = ("nobody answers there", "start the server, or correct the address")


def state_error(error: BaseException) -> StateError:
    """The project's error for one of psycopg or SQLAlchemy, raised over a connection that was there."""
    cause = driver_error(error)
    code = code_of(cause)
    if is_lost(cause):
        return DatabaseUnavailableError(f"the connection to Postgres was lost ({_name(cause)})")
    if reason := _LATER.get(code) or _LATER.get(code[:2]):
        return DatabaseUnavailableError(f"Postgres gave up: {reason} ({_name(cause)})")
    return StateError(f"Postgres refused a statement ({_name(cause)})")


def unavailable(url: str, error: BaseException) -> DatabaseUnavailableError:
    """The error to raise for the driver's when no connection to `url` could be made: why, and what to do."""
    said = str(driver_error(error))
    why, advice = next((tuple(rest) for words, *rest in _NOT_MADE if words in said), _NOBODY)
    return DatabaseUnavailableError(f"{without_password(url)}: {why}; {advice}")


def is_lost(error: BaseException) -> bool:
    """Whether the connection itself is gone, so that another one may work."""
    cause = driver_error(error)
    if code := code_of(cause):
        return code.startswith("08") or code in ("57P01", "57P02", "57P05")
    return isinstance(cause, (psycopg.OperationalError, psycopg.InterfaceError))


def driver_error(error: BaseException) -> BaseException:
    """psycopg's own error behind SQLAlchemy's."""
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


def code_of(error: BaseException) -> str:
    """The server's code of five characters; "" where the driver found out by itself."""
    return getattr(error, "sqlstate", None) or ""


def _name(error: BaseException) -> str:
    return ", ".join([type(error).__name__, *([code_of(error)] if code_of(error) else [])])
