"""Statements written with SQLAlchemy and compiled once, for the ways that must be quick.

Most of them leave nothing behind in the server's session, whatever their parameters, and know it of themselves: a
connection that carried no others need not be cleaned before somebody else gets it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ClauseElement
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.sql.compiler import SQLCompiler

from engine.errors import InputError

Parameter = str | int | float | bool | bytes | UUID | datetime | None
"""What a statement takes. `bytes` is JSON text, ready to be sent."""


# What reads and writes rows, and what begins and ends a transaction; and the functions with which even these change
# the session. A setting that ends with the transaction leaves nothing.
_ROWS_ONLY = re.compile(rb"\s*(select|insert|update|delete|merge|with|begin|commit|rollback)\b", re.IGNORECASE)
_LEAVES = re.compile(
    rb"set_config(?!\('[a-z._]+', \$\d, true\))|advisory_lock|dblink|_to_xml|\binto\s+temp|;", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with numbered parameters (`$1` ...), the names of parameters in that order, and of the columns returned.

    `name` is the one under which a connection prepares it, made from its text; empty: never prepared.
    """

    sql: bytes
    parameters: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    prepared: bool = True
    name: bytes = field(init=False)
    leaves_nothing: bool = field(init=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha256(self.sql).hexdigest()[:16].encode()
        object.__setattr__(self, "name", b"qbs_" + digest if self.prepared else b"")
        object.__setattr__(self, "leaves_nothing", bool(_ROWS_ONLY.match(self.sql)) and not _LEAVES.search(self.sql))

    def __call__(self, **values: Parameter) -> Call:
        """The statement with its parameters. Raises InputError for text and times that Postgres cannot hold."""
        return Call(
            self, tuple([_WRITERS.get(type(values[name]), _other)(name, values[name]) for name in self.parameters])
        )


@dataclass(frozen=True, slots=True)
class Call:
    """A statement with its parameters as the server reads them."""

    statement: Statement
    parameters: tuple[bytes | None, ...] = ()


def compiled(clause: ClauseElement) -> Statement:
    """A Core statement as Postgres reads it. Its parameters are those made with `bindparam(name)`."""
    made = cast("SQLCompiler", clause.compile(dialect=_dialect()))
    if fixed := {name for name, bind in made.binds.items() if bind.value is not None}:
        raise ValueError(f"values are fixed in the statement: {', '.join(fixed)}")
    columns = tuple(str(column[0]) for column in made._result_columns)
    return Statement(made.string.encode(), tuple(made.positiontup or ()), columns)


@cache
def _dialect() -> PGDialect_psycopg:
    return PGDialect_psycopg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


def as_text(name: str, value: Parameter) -> bytes | None:
    """One parameter in Postgres' text format.

    Raises InputError, naming the field, for NUL and lone surrogates, and for a time without its zone or outside the
    years that can be read back.
    """
    return _WRITERS.get(type(value), _other)(name, value)


def _text(name: str, value: str) -> bytes:
    try:
        text = value.encode()
    except UnicodeEncodeError:
        raise InputError(f"{name} holds a character that no text has (a lone surrogate); remove it") from None
    if b"\0" in text:
        raise InputError(f"{name} holds a NUL character, which Postgres cannot keep; remove it")
    return text


def _moment(name: str, value: datetime) -> bytes:
    """In UTC, as it is read back. A time without a zone would be taken for one in UTC."""
    if value.utcoffset() is None:
        raise InputError(f"{name} is a time without its zone; give it, for example 2026-03-02T09:00:00+00:00")
    try:
        return value.astimezone(UTC).isoformat().encode()
    except OverflowError:
        raise InputError(f"{name} is a time outside the years 1 to 9999 in UTC") from None


def _other(name: str, value: Any) -> bytes:
    if isinstance(value, str):  # the enumerations
        return _text(name, str(value))
    raise TypeError(f"{name}: no way to send a {type(value).__name__}")


_WRITERS: Mapping[type, Callable[[str, Any], bytes | None]] = {
    type(None): lambda name, value: None,
    bytes: lambda name, value: value,
    str: _text,
    bool: lambda name, value: b"t" if value else b"f",
    int: lambda name, value: b"%d" % value,
    float: lambda name, value: repr(value).encode(),
    UUID: lambda name, value: str(value).encode(),
    datetime: _moment,
}


BEGIN = Statement(b"begin")()
COMMIT = Statement(b"commit")()
ROLLBACK = Statement(b"rollback")()
SET_TENANT = Statement(b"select set_config('app.tenant_id', $1, true)", ("tenant_id",))
SET_LIMITS = Statement(
    b"select set_config('statement_timeout', $1, true), set_config('lock_timeout', $1, true), "
    b"set_config('idle_in_transaction_session_timeout', $1, true)",
    ("milliseconds",),
)
# It drops what is prepared, and so is not prepared itself.
DISCARD_ALL = Statement(b"discard all", prepared=False)()
