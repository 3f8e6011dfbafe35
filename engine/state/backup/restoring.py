"""Production state restored from a backup, in one transaction: all of it with the right row counts, or nothing.

Whatever goes wrong, the machine's power included, leaves the database as it was.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, cast

from engine.errors import ConfigurationError, StateError
from engine.state.backup.dumped import script_of
from engine.state.backup.making import LOCK_SECONDS, Backup, read_backup
from engine.state.backup.programs import Clients, clients_for, connection_argument, environment, failed
from engine.state.connecting import connected
from engine.state.roles import APP, OWNER, are_made
from engine.state.rowcounts import RowCounts, check_rows, count_rows, counting, gathered, locking, rows_text, total
from engine.state.schema import check_known
from engine.state.tables import SCHEMA

_BEGIN = f"""
begin;
set local lock_timeout = '{LOCK_SECONDS}s';
"""
_CLEAR = f"drop schema if exists {SCHEMA} cascade;\n"
# Facts carry the numbers of their transactions. Those of another server may not have been given out here yet, and
# would be taken for transactions to wait for: they become 0, before all others.
_RENUMBER = f"""
do $renumber$
declare place regclass;
begin
    for place in select attrelid::regclass from pg_catalog.pg_attribute
                  join pg_catalog.pg_class on pg_class.oid = attrelid and relkind = 'r'
                  where relnamespace = '{SCHEMA}'::regnamespace and attname = 'recorded_in' and not attisdropped
    loop
        execute format('update %s set recorded_in = 0 where recorded_in >= pg_current_xact_id()::text::bigint', place);
    end loop;
end
$renumber$;
"""  # noqa: S608  # made of our own names
_COUNTED = "counted"
_OPTIONS = ("--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1", "--no-password")


def restore(url: str, dump: Path, *, replace: bool = False) -> Backup:
    """Put back what `backup` dumped, with its revision. `url` is that of the maintenance path.

    A database that holds rows is left alone, unless they are to be replaced. Raises InputError if the files cannot be
    used, SchemaVersionError if they are of a newer program's, ConfigurationError if a role, a program or TLS is missing
    or the role may not do it, StateError if there are rows already or what was restored is not what was backed up,
    DatabaseUnavailableError.
    """
    kept = read_backup(dump)
    check_known(kept.revision, "the backup")
    with connected(url) as connection:
        clients = clients_for(connection)
        there = count_rows(connection)
        _check_target(there, replace=replace)
        if not are_made(connection):
            raise ConfigurationError(
                f"the server lacks {OWNER} or {APP}: docs/production-state.md has the SQL for them"
            )
    with _psql(url, clients) as (told, answers):
        told.write(_BEGIN.encode())
        if there and not replace:  # rows may have come since: look again, once nobody can add any
            told.write(locking(there).encode())
            _check_target(_count(told, answers, there), replace=False)
        told.write(_CLEAR.encode())
        with script_of(dump, clients) as lines:
            told.writelines(lines)
        told.write(_RENUMBER.encode())
        found = _count(told, answers, kept.rows)
        check_rows("what was restored is not what was backed up, and the database stays as it was", kept.rows, found)
        told.write(b"commit;\n")
    return kept


def _check_target(rows: RowCounts, *, replace: bool) -> None:
    if total(rows) and not replace:
        raise StateError(
            f"the database holds {rows_text(rows)} already: "
            "restore into an empty one, or say that they are to be replaced (--replace)"
        )


@contextmanager
def _psql(url: str, clients: Clients) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """psql at work: what it is told, and what it answers. At the first error it stops, and nothing has happened."""
    with tempfile.TemporaryFile() as words:
        running = subprocess.Popen(  # noqa: S603
            [clients.program("psql"), *_OPTIONS, connection_argument(url)],
            env=environment(url),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=words,
        )
        told, answers = cast("IO[bytes]", running.stdin), cast("IO[bytes]", running.stdout)
        stopped = False
        try:
            yield told, answers
            told.close()
        except BrokenPipeError:
            stopped = True  # why, is in its words
        except BaseException:
            running.kill()
            raise
        finally:
            with suppress(BrokenPipeError):
                told.close()  # again, if it stopped while there was more to tell
            answers.close()
            running.wait()
        if stopped or running.returncode:
            words.seek(0)
            raise failed("psql", running.returncode, words.read().decode(errors="replace"))


def _count(told: IO[bytes], answers: IO[bytes], expected: RowCounts) -> RowCounts:
    """The rows there are now, before anybody else can see them. Raises BrokenPipeError if psql has stopped."""
    told.write(f"copy ({counting(expected)}) to stdout;\n\\echo {_COUNTED}\n".encode())
    told.flush()
    counted: list[list[str]] = []
    for line in map(bytes.decode, answers):
        if line.strip() == _COUNTED:
            return gathered(expected, counted)
        if len(fields := line.split()) == 3:  # other lines are answers to the script
            counted.append(fields)
    raise BrokenPipeError
