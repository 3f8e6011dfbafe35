"""What is in a dump, read from the dump itself: as a script, a line at a time, and nothing else is believed."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from engine.errors import ConfigurationError, InputError, QBSError
from engine.state.backup.programs import Clients, failed, own_words
from engine.state.rowcounts import RowCounts
from engine.state.tables import SCHEMA

_COPY = f"COPY {SCHEMA}.".encode()
_END = b"\\.\n"


@contextmanager
def script_of(dump: Path, clients: Clients, *options: str) -> Iterator[Iterator[bytes]]:
    """The dump as a script, line by line, as these programs write it.

    At the end of the block raises InputError if the dump could not be read whole, ConfigurationError if it takes newer
    programs.
    """
    with tempfile.TemporaryFile() as words:
        reading = subprocess.Popen(  # noqa: S603
            [clients.program("pg_restore"), *options, "--file=-", dump], stdout=subprocess.PIPE, stderr=words
        )
        with reading:
            try:
                yield iter(cast("IO[bytes]", reading.stdout))
            except BaseException:
                reading.kill()
                raise
        if reading.returncode:
            words.seek(0)
            raise _unread(dump, reading.returncode, words.read().decode(errors="replace"))


def _unread(dump: Path, code: int, said: str) -> QBSError:
    failure = failed("pg_restore", code, said)
    if isinstance(failure, ConfigurationError):
        return failure
    return InputError(f"is damaged, or no dump: it cannot be read to its end{own_words(said)}", file=dump)


def rows_in_dump(dump: Path, clients: Clients) -> RowCounts:
    """How many rows of each tenant are in a dump, by table. Raises InputError if it cannot be read."""
    with script_of(dump, clients, "--data-only") as lines:
        return rows_in_script(lines)


def rows_in_script(lines: Iterator[bytes]) -> RowCounts:
    """Rows by table and tenant in the COPY blocks of a script; those of tables without a tenant are left out."""
    rows: dict[str, dict[str, int]] = {}
    for line in lines:
        if line.startswith(_COPY):
            table, columns = _copied(line)
            place = columns.index("tenant_id") if "tenant_id" in columns else None
            if place is None:
                _skip(lines)
            else:
                rows[table] = _rows_by_tenant(lines, place)
    return rows


def _copied(line: bytes) -> tuple[str, list[str]]:
    """The table and the columns of `COPY qbs.messages (tenant_id, state_id) FROM stdin;`."""
    table, _, rest = line.decode().removeprefix(_COPY.decode()).partition(" (")
    return table.strip('"'), rest.partition(")")[0].split(", ")


def _rows_by_tenant(lines: Iterator[bytes], place: int) -> dict[str, int]:
    counted: dict[str, int] = {}
    for row in iter(lambda: next(lines), _END):
        tenant = row.split(b"\t", place + 1)[place].strip().decode()
        counted[tenant] = counted.get(tenant, 0) + 1
    return counted


def _skip(lines: Iterator[bytes]) -> None:
    for _ in iter(lambda: next(lines), _END):
        pass
