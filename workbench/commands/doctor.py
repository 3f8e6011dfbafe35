"""`qbs doctor`: what is configured, what works, and what a person should do about the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from workbench.commands.exits import FAILED
from workbench.commands.output import AsJson, show, show_json
from workbench.settings import SettingRow, explain, read_settings
from workbench.text import count

if TYPE_CHECKING:
    from workbench.health import Check

EPILOG = """\
\b
Examples:
  qbs doctor
  qbs doctor --json | jq '.checks[] | select(.status == "problem")'

\b
It asks each configured model one small question, which may cost a fraction of
a cent; with no model configured, it asks a fake one on this machine. If
something that is needed does not work, it ends with 1.
"""


def register(cli: typer.Typer) -> None:
    cli.command("doctor", epilog=EPILOG)(doctor)


def doctor(as_json: AsJson = False) -> None:
    """Show what is configured, what works, and what to do."""
    from workbench.health import Status, all_checks
    from workbench.services import Services

    settings, problems = read_settings()
    rows, checks = explain(settings), []
    if not as_json:
        show("\n".join(_setting_lines(rows)))
        show("Checks")
    for check in all_checks(Services(settings), problems):
        checks.append(check)
        if not as_json:
            show(_check_text(check))
    wrong = sum(check.status is Status.PROBLEM for check in checks)
    if as_json:
        settings_found = [asdict(row) for row in rows]
        show_json({"ok": not wrong, "settings": settings_found, "checks": [asdict(check) for check in checks]})
    else:
        show(f"\n{count(wrong, 'problem')} found." if wrong else "\nEverything that is needed works.")
    if wrong:
        raise typer.Exit(FAILED)


def _setting_lines(rows: Sequence[SettingRow]) -> Iterator[str]:
    yield "Settings   (NAME=value in the environment or in .env; docs/settings.md has more)"
    for row in rows:
        yield f"  {row.variable:<28} {row.value or 'not set'}   ({row.origin})"
        yield f"  {'':<28} {row.meaning}"
    yield ""


def _check_text(check: Check) -> str:
    mark = typer.style(f"{check.status:<8}", fg={"ok": "green", "note": "yellow", "problem": "red"}[check.status])
    advice = f"\n  {'':<20} -> {check.advice}" if check.advice else ""
    return f"  {mark} {check.name:<11} {check.finding}{advice}"
