"""`qbs runs`: the runs there are, what one of them says, its turns as a file, and the index made anew."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from engine.errors import InputError
from workbench.commands.exits import say
from workbench.commands.options import Run
from workbench.commands.output import AsJson, show, show_json
from workbench.commands.run_prompts import MadeWith, made_with
from workbench.services import Services, build_services
from workbench.text import ago, count, money, one_of, table, the_one

if TYPE_CHECKING:
    from evals.runs.rows import RunRow

EPILOG = """\
\b
Examples:
  qbs runs list
  qbs runs show latest
  qbs runs export latest --to turns.csv
"""
LIST_EPILOG = """\
\b
Examples:
  qbs runs list
  qbs runs list --dataset b2b_discovery --variant rules
  qbs runs list --json | jq -r '.[] | select(.status == "complete") | .run_id'
"""
SHOW_EPILOG = """\
\b
Examples:
  qbs runs show latest                             the newest run
  qbs runs show 1a2b3c4d                           a unique part of its id
  qbs runs show latest --conversation won-energy   turn by turn
"""
EXPORT_EPILOG = """\
\b
Examples:
  qbs runs export latest --to turns.csv
  qbs runs export latest --to turns.parquet
  qbs runs export latest --format jsonl | head -1

\b
csv, parquet and json hold a flat row for each turn, jsonl the full records.
docs/command-line.md lists the columns.
"""
REINDEX_EPILOG = """\
\b
Example:
  qbs runs reindex     when `qbs doctor` says so, or the index was lost

\b
The index is only a copy: run folders are the record, which stays as it is.
"""


def register(cli: typer.Typer) -> None:
    group = typer.Typer(help="List, show and export runs.", no_args_is_help=True)
    group.command("list", epilog=LIST_EPILOG)(list_runs)
    group.command("show", epilog=SHOW_EPILOG)(show_run)
    group.command("export", epilog=EXPORT_EPILOG)(export_run)
    group.command("reindex", epilog=REINDEX_EPILOG)(reindex)
    cli.add_typer(group, name="runs", epilog=EPILOG)


def list_runs(
    dataset: Annotated[str | None, typer.Option(metavar="NAME", help="Only runs over this data set.")] = None,
    variant: Annotated[str | None, typer.Option(metavar="NAME", help="Only runs of this variant.")] = None,
    as_json: AsJson = False,
) -> None:
    """List runs, the newest first."""
    services = build_services()
    rows = [row for row in _indexed(services) if dataset in (None, row.dataset)]
    rows = [row for row in rows if variant in (None, row.variant)]
    used = made_with(services, [row.run_id for row in rows])
    if as_json:
        show_json([run_facts(row, used[row.run_id]) for row in rows])
    elif rows:
        show(_table(rows, used, datetime.now(UTC)))
    else:
        show(_none(services, narrowed=bool(dataset or variant)))


def show_run(
    run: Run,
    conversation: Annotated[
        str | None, typer.Option("--conversation", metavar="ID", help="Show the turns of this conversation.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a run says."""
    from workbench.commands.run_report import conversation_facts, conversation_text, summary_facts, summary_text

    services = build_services()
    folder = services.run(run)
    run_id = folder.run_id
    row, used = indexed_run(services, run_id), made_with(services, [run_id])[run_id]
    if conversation is not None:
        records = services.run_index().turn_records(run_id, _conversation_of(services, run_id, conversation))
        if as_json:
            show_json(run_facts(row, used) | {"records": conversation_facts(records)})
        else:
            show(conversation_text(row, records))
        return
    turns = services.run_index().turns(run_id)
    origin = services.origin(row.dataset)
    if as_json:
        show_json(run_facts(row, used) | {"origin": origin} | summary_facts(turns))
    else:
        show(summary_text(row, turns, origin, used.prompts))


def export_run(
    run: Run,
    format_: Annotated[
        Literal["csv", "parquet", "json", "jsonl"] | None,
        typer.Option("--format", help="What to write; the ending of FILE if not given."),
    ] = None,
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Where to; stdout if not given.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite FILE if it is there already.")] = False,
) -> None:
    """Write the turns of a run as a file."""
    from evals.runs.export import ExportFormat, write_export
    from evals.runs.export import export_run as write_file

    chosen = format_ or (to.suffix.removeprefix(".").lower() if to else "jsonl")
    if chosen not in list(ExportFormat):
        endings = one_of([f".{each}" for each in ExportFormat])
        raise typer.BadParameter(f"{to} does not end in {endings}; choose one, or say --format", param_hint="--to")
    folder = build_services().run(run)
    if to is not None:
        _refuse_place(to, force=force)
        write_file(folder, to, ExportFormat(chosen))
        say(f"{folder.run_id} written to {to}")
    elif chosen == ExportFormat.PARQUET and sys.stdout.isatty():
        raise typer.BadParameter("parquet is nothing for a terminal: say --to FILE", param_hint="--to")
    else:
        write_export(folder, sys.stdout.buffer, ExportFormat(chosen))


def _refuse_place(file: Path, *, force: bool) -> None:
    if file.is_dir():
        raise InputError("is a folder; name a file in it", file=file)
    if not file.parent.is_dir():
        raise InputError("its folder does not exist; make it first", file=file)
    if file.exists() and not force:
        raise InputError("is there already; name another file, or say --force to overwrite it", file=file)


def reindex(as_json: AsJson = False) -> None:
    """Make the index of runs anew from their folders."""
    from evals.runs.importer import Refreshed

    services = build_services()
    refreshed = services.run_index().rebuild() if services.settings.home.is_dir() else Refreshed()
    if as_json:
        show_json({"runs": refreshed.runs, "turns": refreshed.turns, "unreadable": list(refreshed.unreadable)})
        return
    show(f"The index was made anew: {count(refreshed.runs, 'run')}, {count(refreshed.turns, 'turn')}.")
    for run_id in refreshed.unreadable:
        say(f"Left out, because its manifest cannot be read: {run_id}")


def run_facts(row: RunRow, used: MadeWith) -> dict[str, Any]:
    """A run for programs, and the prompts that it was made with."""
    own = asdict(row) | {"status": row.status.value, "created_at": row.created_at.isoformat()}
    return own | {"prompt_set": used.prompt_set, "prompts": dict(used.prompts)}


def _conversation_of(services: Services, run_id: str, name: str) -> str:
    ids = {turn.conversation_id for turn in services.run_index().turns(run_id)}
    return the_one("conversation", name, ids, where=f"in {run_id}")


def indexed_run(services: Services, run_id: str) -> RunRow:
    """One run as the index has it, brought up to date."""
    index = services.run_index()
    index.refresh()
    return index.run(run_id)


def _none(services: Services, *, narrowed: bool) -> str:
    """That there are no runs, and where they were looked for: without QBS_HOME that is the current folder's."""
    if narrowed and services.runs_folder.is_dir():
        return f"There are no such runs in {services.settings.home}."
    return f"There are no runs yet in {services.settings.home} (QBS_HOME). `qbs replay` makes one."


def _indexed(services: Services) -> Sequence[RunRow]:
    if not services.settings.home.is_dir():
        return ()
    index = services.run_index()
    index.refresh()
    return index.runs()


def _table(rows: Sequence[RunRow], used: Mapping[str, MadeWith], now: datetime) -> str:
    """What runs used for prompts is only shown where one of them used others than the shipped ones."""
    header = ["RUN", "STATUS", "TURNS", "FALLBACKS", "COST", "MADE"]
    cells = [
        [
            row.run_id,
            row.status.value,
            f"{row.turns:,}/{row.turns_expected:,}",
            f"{row.fallbacks:,}",
            money(row.cost_usd),
            ago(row.created_at, now),
        ]
        for row in rows
    ]
    if any(own.is_other for own in used.values()):
        header = [*header, "PROMPTS"]
        cells = [[*own, used[row.run_id].prompt_set or "-"] for row, own in zip(rows, cells, strict=True)]
    return table(cells, header, right=[2, 3, 4])
