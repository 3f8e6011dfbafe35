"""Why a connection to a database was not made, or broke: what it means and what to do, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import DatabaseUnavailableError
from engine.state.urls import without_password

if TYPE_CHECKING:
    import psycopg

# What libpq says of a connection that was not made; it gives no code. (said, what it means, what to do)
_REASONS = (
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


def unavailable(url: str, error: psycopg.Error) -> DatabaseUnavailableError:
    """The error to raise for the driver's, when `url` could not be reached or was lost."""
    said = str(error)
    why, advice = next((tuple(rest) for words, *rest in _REASONS if words in said), _NOBODY)
    return DatabaseUnavailableError(f"{without_password(url)}: {why}; {advice}")
