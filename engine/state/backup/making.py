"""A backup of production state: a dump, and beside it how many rows of each tenant it holds.

The rows are counted in the very snapshot that is dumped, and again in the dump. Otherwise nobody would notice a dump
by a role that row level security binds: it is empty, and no error.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, ValidationError

from engine.errors import InputError, StateError
from engine.state.backup.dumped import rows_in_dump
from engine.state.backup.programs import Clients, clients_for, connection_argument, environment, failed
from engine.state.connecting import connected, revision_of
from engine.state.rowcounts import check_rows, count_rows
from engine.state.tables import SCHEMA

LOCK_SECONDS = 10  # how long to wait for tables that are in use
SUFFIX = ".counts.json"


class Backup(BaseModel, frozen=True):
    """What is kept beside a dump: what it was made of, and how many rows of each tenant each table has."""

    format: Literal[1] = 1
    made_at: datetime
    revision: str
    server: int  # major version of Postgres
    sha256: str  # of the dump
    rows: dict[str, dict[str, int]] = Field(min_length=1)  # table -> tenant -> rows


def beside(dump: Path) -> Path:
    """Where the row counts of a dump are."""
    return dump.with_name(dump.name + SUFFIX)


def backup(url: str, dump: Path) -> Backup:
    """Write a dump of the schema, and its row counts beside it; what is there is replaced once both are complete.

    `url` is that of the maintenance path. Raises InputError if the file cannot be written, ConfigurationError if the
    role does not see all rows, a program is missing or TLS is, StateError if the dump does not hold what the database
    does, DatabaseUnavailableError.
    """
    _check_place(dump)
    part, part_beside = (file.with_name(f"{file.name}.part") for file in (dump, beside(dump)))
    _write(part, b"")  # for its owner's eyes only, before anything is in it
    try:
        made = _dump(url, part)
        _write(part_beside, made.model_dump_json(indent=2).encode() + b"\n")
        part_beside.replace(beside(dump))
        part.replace(dump)
    finally:
        part.unlink(missing_ok=True)
        part_beside.unlink(missing_ok=True)
    return made


def read_backup(dump: Path) -> Backup:
    """What is said beside a dump, which has to be the one that it was said of. Raises InputError."""
    counts = beside(dump)
    for file in (dump, counts):
        if not file.is_file():
            raise InputError("there is no such file; a backup is two of them, the dump and its row counts", file=file)
    try:
        kept = Backup.model_validate_json(counts.read_bytes())
    except ValidationError:
        raise InputError("are not the row counts of a backup that this program can read", file=counts) from None
    if kept.sha256 != _hash(dump):
        raise InputError(f"is damaged, or not the dump that {counts.name} was made with", file=dump)
    return kept


def _check_place(dump: Path) -> None:
    if not dump.parent.is_dir():
        raise InputError("its folder does not exist; make it first", file=dump)
    if dump.is_dir():
        raise InputError("is a folder; name a file in it", file=dump)


def _dump(url: str, part: Path) -> Backup:
    with connected(url, snapshot=True) as connection:
        clients = clients_for(connection)
        revision = revision_of(connection)
        if revision is None:
            raise StateError(f"there is nothing to back up: the database has no schema {SCHEMA}")
        rows = count_rows(connection)
        snapshot = connection.execute("select pg_catalog.pg_export_snapshot()").fetchall()[0][0]
        _run_pg_dump(url, clients, snapshot, part)
    check_rows("the dump does not hold what the database does, and was not kept", rows, rows_in_dump(part, clients))
    return Backup(
        made_at=datetime.now(UTC),
        revision=revision,
        server=clients.server,
        sha256=_hash(part),
        rows={table: dict(by_tenant) for table, by_tenant in rows.items()},
    )


def _run_pg_dump(url: str, clients: Clients, snapshot: str, part: Path) -> None:
    options = [
        "--format=custom",
        f"--schema={SCHEMA}",
        f"--snapshot={snapshot}",
        f"--lock-wait-timeout={LOCK_SECONDS}s",
        "--no-password",
        f"--file={part}",
        connection_argument(url),
    ]
    ended = subprocess.run(  # noqa: S603
        [clients.program("pg_dump"), *options], env=environment(url), capture_output=True, check=False
    )
    if ended.returncode:
        raise failed("pg_dump", ended.returncode, ended.stderr.decode(errors="replace"))


def _write(file: Path, content: bytes) -> None:
    """Write a file that nobody else may read, through to the disk. Raises InputError if that cannot be done."""
    try:
        file.unlink(missing_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as written:
            written.write(content)
            written.flush()
            os.fsync(written.fileno())
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror}); name another place", file=file) from None


def _hash(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
