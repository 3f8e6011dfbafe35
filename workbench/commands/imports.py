"""`qbs import`: conversations of your own, from a JSONL file, all of them or none."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

import typer

from workbench.commands.exits import INVALID, say
from workbench.commands.output import AsJson, in_the_app, show, show_json
from workbench.services import build_services
from workbench.text import count, one_of

EPILOG = """\
\b
Examples:
  qbs import calls.jsonl                 into a data set called `calls`
  qbs import calls.jsonl --into pilot    into one called `pilot`
  qbs import calls.jsonl --replace       replaces what is there already
  qbs import calls.jsonl --origin recorded   says that customers held them
  qbs conversations check calls.jsonl    only looks

\b
One conversation on each line; docs/data-sets.md describes the fields. If a
line cannot be used, nothing is imported, every problem is printed as
FILE:LINE: what is wrong, and the exit code is 3.
"""

SHOWN_PROBLEMS = 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")


def register(cli: typer.Typer) -> None:
    cli.command("import", epilog=EPILOG)(import_file)


def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Conversations in our own JSONL format.")],
    into: Annotated[str | None, typer.Option(metavar="NAME", help="Data set; the file's name if not given.")] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace conversations that are there already under the same id.")
    ] = False,
    origin: Annotated[
        Literal["recorded", "written", "simulated"] | None,
        typer.Option(help="Where all conversations of the data set come from: customers, an author, or code."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Import conversations of your own: all of a file, or none."""
    from evals.importers.own import import_conversations
    from evals.origins import Origin

    name = _dataset_name(file, into)
    services = build_services()
    services.check_own_name(name)
    _refuse_problems(file)
    said = None if origin is None else Origin(origin)
    imported = import_conversations(file, services.conversations_folder / name, replace=replace, origin=said)
    if as_json:
        show_json({"dataset": name, "added": list(imported.added), "replaced": list(imported.replaced)})
        return
    done = [f"{count(len(imported.added), 'conversation')} added"] if imported.added else []
    done += [f"{count(len(imported.replaced), 'conversation')} replaced"] if imported.replaced else []
    show(f"{one_of(done, word='and').capitalize()} in {name}.")
    say(f"Next: qbs replay {name}\n{in_the_app(name)}")


def _dataset_name(file: Path, into: str | None) -> str:
    name = into if into is not None else re.sub(r"[^A-Za-z0-9._-]+", "-", file.stem).strip("-._")
    if not _NAME.fullmatch(name):
        raise typer.BadParameter(
            f"{name!r} cannot be a data set's name: letters, digits, dots, dashes and underscores", param_hint="--into"
        )
    return name


def _refuse_problems(file: Path) -> None:
    """Print every problem of the file, at most SHOWN_PROBLEMS, and end; nothing was imported yet."""
    from evals.library import read_conversations
    from workbench.commands.conversations import located

    _, problems = read_conversations(file)
    if not problems:
        return
    for problem in problems[:SHOWN_PROBLEMS]:
        say(located(problem))
    more = f" (the first {SHOWN_PROBLEMS} are shown)" if len(problems) > SHOWN_PROBLEMS else ""
    say(f"Error: nothing was imported: {count(len(problems), 'problem')} in {file}{more}")
    raise typer.Exit(INVALID)
