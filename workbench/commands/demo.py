"""`qbs demo prepare|report|reset`: the guided demo before and after it is given."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.commands.exits import INTERRUPTED, say
from workbench.commands.output import AsJson, show, show_json
from workbench.services import Services, build_services
from workbench.text import count

if TYPE_CHECKING:
    from workbench.demo import Prepared
    from workbench.presenters.demo_runs import Production

EPILOG = """\
\b
Examples:
  qbs demo prepare             so that the page is quick
  qbs app                      then open Demo
  qbs demo report demo.html    the story to take along
  qbs demo reset               back to the start
"""
PREPARE_EPILOG = """\
\b
Examples:
  qbs demo prepare

\b
Makes three runs over the example conversations, takes the candidate for a
prompt into the workspace, and loads the simulated outcomes. What is there
already stays; the Demo page does the same when it is first opened.
"""
REPORT_EPILOG = """\
\b
Examples:
  qbs demo report demo.html

\b
One page that opens without a network. It prepares what is missing first.
"""
RESET_EPILOG = """\
\b
Examples:
  qbs demo reset            says what goes, and asks
  qbs demo reset --yes      does not ask

\b
The rows of the tenant `demo` go, in a Postgres of our own; with a server
that QBS_DATABASE_URL names nothing is done. Its fitted calibrations go as
well, and the simulated outcomes are loaded anew. Runs, saved prompts,
recordings and imported files stay.
"""


def register(cli: typer.Typer) -> None:
    told = "Prepare the guided demo, take its story along, or reset it."
    group = typer.Typer(no_args_is_help=True, help=told, epilog=EPILOG)
    group.command("prepare", epilog=PREPARE_EPILOG)(prepare_demo)
    group.command("report", epilog=REPORT_EPILOG)(write_report)
    group.command("reset", epilog=RESET_EPILOG)(reset_demo)
    cli.add_typer(group, name="demo")


def prepare_demo(as_json: AsJson = False) -> None:
    """Make what the demo shows, where that is still to do."""
    made = _prepared(build_services())
    runs = {"rules": made.rules, "recorded": made.recorded, "candidate": made.calmer}
    if as_json:
        show_json(runs | {"missing": made.missing or None})
        return
    for name, run in runs.items():
        show(f"{name:10} {run or 'no run: ' + made.missing}")
    say("Next: qbs app       then open Demo")


def write_report(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An .html file to write.")],
) -> None:
    """Write the demo's story as one page of HTML."""
    from evals.files import write_atomically
    from workbench.commands.judging import check_place
    from workbench.comparing import Comparisons
    from workbench.demo import gather
    from workbench.presenters.demo_report import story
    from workbench.presenters.demo_steps import steps

    check_place(file)
    services = build_services()
    made = _prepared(services)
    facts = gather(services, made, Comparisons(services))
    write_atomically(file, story(facts, steps(facts, _production(services))).encode())
    say(f"Written: {file}")


def reset_demo(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the demo back to its start."""
    from workbench.demo import TENANT, reset, rows_to_go

    services = build_services()
    rows = rows_to_go(services)
    if not yes:
        say(f"{count(rows, 'row')} of {TENANT} would go. `qbs db backup FILE` keeps them.")
        typer.confirm("Go on?", abort=True, err=True)
    gone = reset(services)
    if as_json:
        show_json({"tenant": TENANT, "rows": gone.rows, "calibrations": gone.calibrations})
    else:
        show(f"{count(gone.rows, 'row')} of {TENANT} are gone; the demo is at its start.")


def _prepared(services: Services) -> Prepared:
    """Everything made; Ctrl-C ends it cleanly, and the same command goes on."""
    import asyncio

    from workbench.commands.interruptions import gentle_stop, interruptions
    from workbench.commands.progress import shown_progress
    from workbench.demo import fit, is_prepared, prepare

    with interruptions("Stopped at once") as interrupted, shown_progress("Preparing the demo") as shown:

        async def until_stopped() -> Prepared:
            with gentle_stop(interrupted, "turns") as stop:
                return await prepare(services, shown, stop)

        made = asyncio.run(until_stopped())
    if not is_prepared(services):
        say("Stopped. What was made is kept; the same command goes on.")
        raise typer.Exit(INTERRUPTED)
    fit(services)
    return made


def _production(services: Services) -> Production:
    """What is in production for the demo's tenant, if there is a database at all; none is made for it."""
    import asyncio

    from engine.errors import QBSError
    from engine.releases import in_production
    from workbench.demo import TENANT
    from workbench.presenters.demo_runs import Production

    async def asked() -> Production:
        database = await services.database()
        try:
            found = await in_production(database, TENANT)
        finally:
            await database.aclose()
        return Production(None if found is None else found[0])

    server = services.database_server
    if server.embedded and not server.folder.exists():
        return Production()
    try:
        return asyncio.run(asked())
    except QBSError as error:
        return Production(problem=f"What is in production is not known: {error}.")
