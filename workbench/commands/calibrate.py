"""`qbs calibrate`: correct the engine's confidence by what became of its questions, put it to use, watch over it."""

from __future__ import annotations

import shlex
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from engine.errors import InputError
from workbench.commands.calibrate_report import alike_text, checked_text, fitted_text, published_text
from workbench.commands.exits import FAILED
from workbench.commands.moments import past
from workbench.commands.options import (
    AsOf,
    RecommendedSince,
    Run,
    Seen,
    Tenant,
)
from workbench.commands.output import AsJson, show, show_json
from workbench.person import user_name
from workbench.services import build_services
from workbench.text import one_of

if TYPE_CHECKING:
    from engine.calibration import PublishedCalibration
    from workbench.calibrations import Calibrations

ResultT = TypeVar("ResultT")

EPILOG = """\
\b
Examples:
  qbs outcomes sync                          bring the copy up to date
  qbs calibrate fit                          what would be corrected
  qbs calibrate publish --note "first one"   put it to use
  qbs calibrate check                        for a scheduler, every day

\b
docs/calibration.md says how it is fitted and when it is offered.
"""
FIT_EPILOG = """\
\b
Examples:
  qbs calibrate fit --tenant acme
  qbs calibrate fit --as-of 2026-03-02T00:00:00Z    the same bits again
  qbs calibrate fit --since 2026-02-01T00:00:00Z    later recommendations

\b
What is fitted is kept in QBS_HOME/calibrations and changes nothing until it
is published. Only resolved outcomes count.
"""
SHOW_EPILOG = """\
\b
Examples:
  qbs calibrate show
  qbs calibrate show 3f9a --json | jq .report.cells
"""
HISTORY_EPILOG = """\
\b
Examples:
  qbs calibrate history
  qbs calibrate history --everybody
"""
PUBLISH_EPILOG = """\
\b
Examples:
  qbs calibrate publish --note "after the March prompts"
  qbs calibrate publish 3f9a --note "the one from Monday"
  qbs calibrate publish --everybody --note "for tenants without their own"
  qbs calibrate publish --since 4 --note "better than number 4"

\b
Running engines take it up within a minute, without a restart. With --since,
whatever somebody else published after that number is not overruled unseen:
it ends with 1 and says who published what.
"""
ROLLBACK_EPILOG = """\
\b
Examples:
  qbs calibrate rollback --note "too low for chat"     the one before
  qbs calibrate rollback --to 3 --note "as in April"
  qbs calibrate rollback --to 0 --note "off"           no correction at all
  qbs calibrate rollback --since 4 --note "not 4"      while 4 is the newest
"""
EXTRACTION_EPILOG = """\
\b
Examples:
  qbs calibrate extraction latest      said budget 0.8: right 8 times of 10?
  qbs calibrate extraction rules --json
"""
CHECK_EPILOG = """\
\b
Examples:
  qbs outcomes sync && qbs calibrate check

\b
Ends with 1 if the calibration in use is too old, no longer right, or made for
another population.
"""

Everybody = Annotated[bool, typer.Option("--everybody", help="For every tenant that has published none of its own.")]
Name = Annotated[str | None, typer.Argument(metavar="[CALIBRATION]", help="By name; the latest if not given.")]
Note = Annotated[str, typer.Option("--note", metavar="TEXT", help="Why, in a few words.")]
By = Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who does this; you if not given.")]


def register(cli: typer.Typer) -> None:
    group = typer.Typer(help="Correct the engine's confidence by what became of its questions.", no_args_is_help=True)
    group.command("fit", epilog=FIT_EPILOG)(fit)
    group.command("show", epilog=SHOW_EPILOG)(show_one)
    group.command("history", epilog=HISTORY_EPILOG)(history)
    group.command("publish", epilog=PUBLISH_EPILOG)(publish)
    group.command("rollback", epilog=ROLLBACK_EPILOG)(rollback)
    group.command("check", epilog=CHECK_EPILOG)(check)
    group.command("extraction", epilog=EXTRACTION_EPILOG)(extraction)
    cli.add_typer(group, name="calibrate", epilog=EPILOG)


def fit(
    outcome_type: Annotated[
        str, typer.Option("--outcome-type", metavar="TYPE", help="email_engagement or deal_progression.")
    ] = "email_engagement",
    as_of: AsOf = None,
    since: RecommendedSince = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Fit a calibration to resolved outcomes and say how it does on conversations that it has not seen."""
    from engine.model.outcome import OutcomeType

    if outcome_type not in list(OutcomeType):
        raise typer.BadParameter(f"{outcome_type} is none of {one_of([*OutcomeType])}", param_hint="--outcome-type")
    known, from_ = (
        past(as_of, "--as-of", "what is open now may still be answered"),
        past(since, "--since", "nothing was recommended then"),
    )
    made = _of(tenant).fit(OutcomeType(outcome_type), as_of=known, since=from_)
    if as_json:
        show_json(made.document.model_dump(mode="json") | {"name": made.document.calibration.name})
        return
    show(fitted_text(made.document))
    if made.fitted.offered:
        show(f'\nNext: qbs calibrate publish {made.document.calibration.name} --note "..."{_for(tenant)}')


def show_one(name: Name = None, tenant: Tenant = None, as_json: AsJson = False) -> None:
    """Show a calibration that was fitted here."""
    own = _of(tenant)
    fitted = own.named(name)
    if as_json:
        show_json(fitted.model_dump(mode="json") | {"name": fitted.calibration.name})
        return
    show(fitted_text(fitted))
    if alike := own.alike(fitted):
        show(f"\n{alike_text(alike, _for(tenant))}")


def history(tenant: Tenant = None, everybody: Everybody = False, as_json: AsJson = False) -> None:
    """List what was published, the newest first: that one is in use."""
    found = _run(_of(tenant, everybody=everybody).history())
    if as_json:
        show_json([_published_facts(own) for own in found])
    elif found:
        show(published_text(found))
    else:
        show("No calibration was ever published here: the engine's confidence is reported as it is.")


def publish(
    note: Note,
    name: Name = None,
    by: By = None,
    everybody: Everybody = False,
    since: Seen = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Put a fitted calibration to use."""
    own = _of(tenant)
    fitted = own.named(name)
    published = _run(_of(tenant, everybody=everybody).publish(fitted, by=by or _me(), note=note, since=since))
    _show_published(published, as_json=as_json)


def rollback(
    note: Note,
    to: Annotated[int | None, typer.Option("--to", metavar="NO", min=0, help="0 is none; else as listed.")] = None,
    by: By = None,
    everybody: Everybody = False,
    since: Seen = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Use again what was in use before."""
    published = _run(_of(tenant, everybody=everybody).roll_back(to, by=by or _me(), note=note, since=since))
    _show_published(published, as_json=as_json)


def check(tenant: Tenant = None, as_json: AsJson = False) -> None:
    """Find out whether the calibration in use has gone stale."""
    from dataclasses import asdict

    own = _of(tenant)
    published = _run(own.in_use())
    if published is None or not published.calibration.cells:
        if as_json:
            show_json({"calibration": None, "since": None, "tested": [], "alerts": []})
        else:
            show("No calibration is in use: the engine's confidence is reported as it is.")
        return
    checked = own.check(published)
    if as_json:
        show_json({"calibration": published.name, **asdict(checked)})
    else:
        show(checked_text(published, checked))
    if checked.alerts:
        raise typer.Exit(FAILED)


def extraction(run: Run, as_json: AsJson = False) -> None:
    """Show how sure a run was of what it extracted, and how often its labels say that it was right."""
    from evals.learning.calibration.extraction import claims_of_run, read_extraction
    from evals.learning.calibration.making import reading_facts
    from workbench.commands.calibrate_report import extraction_text
    from workbench.evaluations import evaluations

    (own,) = evaluations(build_services(), [run])
    found = read_extraction(claims_of_run(own))
    if as_json:
        rows = [{"source": each.source, "dimension": each.dimension} | reading_facts(each.reading) for each in found]
        show_json({"run_id": own.run_id, "readings": rows})
    elif found:
        show(extraction_text(own.run_id, found))
    else:
        show(f"{own.run_id}: nothing was extracted from a turn that somebody has labelled.")


def _for(tenant: str | None) -> str:
    """What a command to copy lacks, to be about the same tenant."""
    return "" if tenant is None else f" --tenant {shlex.quote(tenant)}"


def _of(tenant: str | None, *, everybody: bool = False) -> Calibrations:
    from engine.state.tenants import EVERYBODY
    from workbench.calibrations import Calibrations

    services = build_services()
    if everybody:
        return Calibrations(services, EVERYBODY)
    return Calibrations(services, tenant or services.settings.tenant)


def _run(work: Coroutine[Any, Any, ResultT]) -> ResultT:
    import asyncio

    return asyncio.run(work)


def _me() -> str:
    """Who does this, where `--by` does not say it."""
    name = user_name()
    if name is None:
        raise InputError("who you are is not known here: say it with --by NAME")
    return name


def _show_published(published: PublishedCalibration, *, as_json: bool) -> None:
    if as_json:
        show_json(_published_facts(published))
        return
    whose = "every tenant without its own" if published.for_everybody else "this tenant"
    what = f"{published.name} is in use" if published.calibration.cells else "nothing is corrected"
    show(f"From now on {what}, for {whose}: number {published.number}.")


def _published_facts(published: PublishedCalibration) -> dict[str, Any]:
    """A published calibration for programs; its report is shown by `show`."""
    fitted = published.fitted.model_dump(mode="json", exclude={"report", "calibration"})
    own = published.model_dump(mode="json", exclude={"fitted"})
    cells = published.calibration.model_dump(mode="json")["cells"]
    return {**own, **fitted, "name": published.name, "outcome_type": published.calibration.outcome_type, "cells": cells}
