"""`qbs db`: the database that keeps production state: start it, look at it, migrate, check, back up, restore."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import InputError, UnsafeDatabaseError
from workbench.commands import db_erase
from workbench.commands.exits import FAILED, say
from workbench.commands.interruptions import interruptions
from workbench.commands.output import AsJson, show, show_json
from workbench.databases import Role
from workbench.services import Services, build_services
from workbench.text import UnknownNameError, count

if TYPE_CHECKING:
    from engine.state.backup import Backup
    from engine.state.schema import Migrated

EPILOG = """\
\b
Examples:
  qbs db up                     does it start, and how is it reached?
  qbs db status                 version, revision, and each tenant's rows
  qbs db backup state.dump
  QBS_DATABASE_URL="$(qbs db url)" python my_service.py

\b
Without QBS_DATABASE_URL it is a Postgres of our own: it starts by itself when
it is needed, and keeps everything under QBS_HOME/postgres. How to have a real
server instead is in docs/production-state.md, step by step.
"""
UP_EPILOG = """\
\b
Examples:
  qbs db up             does it start? migrate it, too
  qbs db up --stay      keep it up until Ctrl-C, and say how to reach it

\b
The pages and the other commands start it themselves when they need it. It
ends with the last process that uses it.
"""
URL_EPILOG = """\
\b
Example, with `qbs db up --stay` in another terminal:
  QBS_DATABASE_URL="$(qbs db url)" python my_service.py

\b
The password is in it: give it to the program alone, and do not write it down.
A server of our own ends with the last process that uses it, and so with this
command, unless another keeps it up.
"""
STATUS_EPILOG = """\
\b
Examples:
  qbs db status
  qbs db status --json | jq '.rows.messages | length'     how many tenants
"""
MIGRATE_EPILOG = """\
\b
Examples:
  qbs db migrate                      up to the newest revision
  qbs db migrate --to 0001            up to this one
  qbs db migrate --down --to 0001     back to it; asks first
  qbs db migrate --down --to base     back to nothing

\b
A server of our own is migrated by itself. A server that QBS_DATABASE_URL
names is only migrated by this command, over QBS_DATABASE_OWNER_URL; the first
time it also makes the roles, over QBS_DATABASE_MAINTENANCE_URL. For the same
reason a server of our own does not stay down: the next command that uses it
brings it up to the newest revision again.
"""
CHECK_EPILOG = """\
\b
Example:
  qbs db check && start-your-service

\b
It looks for everything that could let one tenant see another's rows: the
roles' rights, row level security on each table, keys, views, functions. Each
problem comes with its remedy. If there is one, it ends with 1.
"""
BACKUP_EPILOG = """\
\b
Examples:
  qbs db backup state.dump
  qbs db backup "state-$(date +%F).dump"
  qbs db backup state.dump --force     overwrite an earlier one

\b
The dump is one of pg_dump's own. How many rows each tenant has in each table
is written beside it, in FILE.counts.json, once they were found in the dump.
Keep both files: they hold customers' words, and only you may read them.
"""
RESTORE_EPILOG = """\
\b
Examples:
  qbs db restore state.dump               into a database without rows
  qbs db restore state.dump --replace     in the place of what is there

\b
It happens in one transaction, and only if every tenant's rows are as many as
they were. Whatever goes wrong leaves the database as it was.
"""

File = Annotated[Path, typer.Argument(metavar="FILE", help="The dump.")]


def register(cli: typer.Typer) -> None:
    group = typer.Typer(
        help="Start, look at, migrate, check, back up, restore and erase in the database.", no_args_is_help=True
    )
    group.command("up", epilog=UP_EPILOG)(up)
    group.command("url", epilog=URL_EPILOG)(show_url)
    group.command("status", epilog=STATUS_EPILOG)(status)
    group.command("migrate", epilog=MIGRATE_EPILOG)(migrate)
    group.command("check", epilog=CHECK_EPILOG)(check)
    group.command("backup", epilog=BACKUP_EPILOG)(back_up)
    group.command("restore", epilog=RESTORE_EPILOG)(restore)
    group.command("erase", epilog=db_erase.EPILOG)(db_erase.erase)
    cli.add_typer(group, name="db", epilog=EPILOG)


def up(
    stay: Annotated[bool, typer.Option("--stay", help="Keep a server of our own up until Ctrl-C.")] = False,
) -> None:
    """Start the database and say how to reach it."""
    from workbench.commands.db_report import reached, up_text

    services = build_services()
    server = services.database_server
    server.bring_up_to_date()
    show(up_text(server, reached(server), stay=stay))
    if stay and server.embedded:
        _stay()


def show_url() -> None:
    """Print the application's address, with its password."""
    server = build_services().database_server
    if server.embedded and not server.is_running():
        say("The server of our own ends with this command: keep it up with `qbs db up --stay`, and ask then.")
    server.bring_up_to_date()
    show(server.url(Role.APP))


def status(as_json: AsJson = False) -> None:
    """Show which server, version, revision, and each tenant's rows."""
    from workbench.commands.db_report import reached, status_facts, status_text

    services = build_services()
    server = services.database_server
    server.bring_up_to_date()
    found = reached(server)
    if as_json:
        show_json(status_facts(server, found))
    else:
        show(status_text(server, found, services.settings.tenant))


def migrate(
    to: Annotated[
        str | None, typer.Option("--to", metavar="REV", help="Which revision; the newest if not given.")
    ] = None,
    down: Annotated[
        bool, typer.Option("--down", help="Go back to REV, or to `base`. Later tables go, with rows.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before going down.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the schema to a revision."""
    from engine.state.schema import downgrade, upgrade

    _check_revision(to, down=down)
    server = build_services().database_server
    if not down and server.set_up():
        say("The roles qbs_owner and qbs_app and their schema were made.")
    owner = server.url(Role.OWNER)
    if to is None or not down:
        done = upgrade(owner, to or "head")
    else:
        _confirm_loss(owner, to, yes=yes)
        done = downgrade(owner, to)
    if as_json:
        show_json({"before": done.before, "after": done.after})
    else:
        show(_migrated(done, to, down=down))
    if server.embedded and done.after != _newest():
        say("It does not stay there: the next command that uses a server of our own migrates it up again.")


def _newest() -> str:
    from engine.state.tables import HEAD

    return HEAD


def _check_revision(to: str | None, *, down: bool) -> None:
    from engine.state.schema import revisions

    if down and to is None:
        raise typer.BadParameter("say how far down with --to REV, or --to base", param_hint="--down")
    known = [each.id for each in revisions()] + (["base"] if down else ["head"])
    if to is not None and to not in known:
        raise UnknownNameError("revision", to, known)


def _confirm_loss(owner: str, to: str, *, yes: bool) -> None:
    """Name what goes, and ask."""
    from engine.state.schema import current, revisions

    before = current(owner) or ""
    undone = [each for each in revisions() if (to == "base" or each.id > to) and each.id <= before]
    for each in reversed(undone):
        say(f"{each.id} is undone, and its rows go: {each.title}")
    if undone and not yes:
        say("`qbs db backup FILE` keeps them.")
        typer.confirm("Go on?", abort=True, err=True)


def _migrated(done: Migrated, to: str | None, *, down: bool) -> str:
    if done.before != done.after:
        return f"The schema went from {done.before or 'nothing'} to {done.after or 'nothing'}."
    now = done.after or "nothing"
    if down or to in (None, "head", now):
        return f"The schema is at {now}: there was nothing to do."
    return f"The schema is at {now}, which is later: there was nothing to do. `--down` goes back."


def check(as_json: AsJson = False) -> None:
    """Look for whatever could let tenants see each other's rows."""
    import asyncio

    services = build_services()
    problems = asyncio.run(_problems(services))
    if as_json:
        show_json({"ok": not problems, "problems": list(problems)})
    elif problems:
        show("\n".join(f"- {problem}" for problem in problems))
        say(f"{count(len(problems), 'problem')} found.")
    else:
        show("Tenants are kept apart: nothing was found that lets one see another's rows.")
    if problems:
        raise typer.Exit(FAILED)


async def _problems(services: Services) -> tuple[str, ...]:
    try:
        database = await services.database()
    except UnsafeDatabaseError as error:
        return error.problems
    await database.aclose()
    return ()


def back_up(
    file: File,
    force: Annotated[bool, typer.Option("--force", help="Overwrite FILE if it is there already.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write every tenant's rows into a file, and count them."""
    from engine.state.backup import backup

    if file.exists() and not file.is_dir() and not force:
        raise InputError("is there already; name another file, or say --force to overwrite it", file=file)
    server = build_services().database_server
    server.bring_up_to_date()
    made = backup(server.url(Role.MAINTENANCE), file)
    if as_json:
        show_json(made.model_dump(mode="json") | {"file": str(file)})
    else:
        show(f"{_rows(made)} written to {file}, and found there again.")


def restore(
    file: File,
    replace: Annotated[bool, typer.Option("--replace", help="Remove what is there. Back it up first.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put back what a backup holds."""
    from engine.state.backup import restore as put_back
    from engine.state.tables import HEAD

    server = build_services().database_server
    kept = put_back(server.url(Role.MAINTENANCE), file, replace=replace)
    server.bring_up_to_date()
    if as_json:
        show_json(kept.model_dump(mode="json") | {"file": str(file)})
        return
    show(f"{_rows(kept)} restored from {file}, as many of each tenant as there were.")
    if not server.embedded and kept.revision != HEAD:
        say(f"The schema is at {kept.revision}; `qbs db migrate` brings it to {HEAD}.")


def _rows(backup: Backup) -> str:
    from engine.state.rowcounts import rows_text

    return rows_text(backup.rows)


def _stay() -> None:
    """Until SIGINT or SIGTERM; what was started is ended on the way out."""
    told = threading.Event()
    with interruptions("Ended at once; the server may run on until the next command that uses it.") as interrupted:
        interrupted.first = told.set
        say("It stays up until Ctrl-C.")
        told.wait()
