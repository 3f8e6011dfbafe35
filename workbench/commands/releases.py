"""`qbs promote` and `qbs releases`: which prompts are in production, by whose decision, and back again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer

from workbench.commands import protecting
from workbench.commands.exits import FAILED, say
from workbench.commands.options import Limit, Seen, Tenant
from workbench.commands.output import AsJson, show, show_json
from workbench.commands.protecting import By, person
from workbench.commands.releases_report import (
    advice_text,
    release_facts,
    release_text,
    releases_text,
    rules_facts,
    rules_text,
    weighed_text,
)
from workbench.services import Services, build_services

if TYPE_CHECKING:
    from uuid import UUID

    from engine.releases import Release
    from engine.state.database import Database
    from workbench.promoting import Weighed

ResultT = TypeVar("ResultT")

PROMOTE_EPILOG = """\
\b
Examples:
  qbs promote shorter --dry-run                      what the gate would say
  qbs promote shorter --note "shorter questions"
  qbs promote shorter --neutral --note "a comma"     tied is good enough
  qbs promote question@v3 --everybody --note "all tenants"
  qbs promote shorter --to candidate --note "for the team to try"

\b
The gate compares finished runs of SET with runs of what is in production, and
names the command for each that is missing. Exit code 1 if it blocks.
Running engines take a release up within a minute. docs/promotion.md.
"""
EPILOG = """\
\b
Examples:
  qbs releases list
  qbs releases show 3                  with everything its verdict rests on
  qbs releases rollback --note "too chatty"
  qbs releases gate shorter            may it go into production?
  qbs releases protect b2b_discovery won-energy 4 --why "the CFO's no"

\b
docs/promotion.md explains the gate.
"""
LIST_EPILOG = """\
\b
Examples:
  qbs releases list --everybody
  qbs releases list --tenant acme --json | jq '.[] | select(.in_production)'
"""
SHOW_EPILOG = """\
\b
Examples:
  qbs releases show 3
  qbs releases show 3 --prompt question     the text as it was released
"""
ROLLBACK_EPILOG = """\
\b
Examples:
  qbs releases rollback --note "too chatty"     the release before
  qbs releases rollback --to 2 --note "as in March"
  qbs releases rollback --since 4 --note "not 4"    while 4 is the newest

\b
A rollback is a new release with the prompts of an earlier one. Before a
tenant's first release it has everybody's prompts, or the shipped ones. With
--since, what somebody else released after that number is not overruled
unseen: it ends with 1 and says who released what.
"""
GATE_EPILOG = """\
\b
Examples:
  qbs releases gate                  what it asks for
  qbs releases gate shorter          what it says of a set; 1 if it blocks
  qbs releases gate shorter --json | jq '.decision.missing[].command'
"""


SetName = Annotated[str, typer.Argument(metavar="SET", help="shipped, a saved set, or such as question@v2.")]
Everybody = Annotated[bool, typer.Option("--everybody", help="For all tenants that have no prompts of their own.")]
Note = Annotated[str, typer.Option("--note", metavar="TEXT", help="What for, in a few words.")]
Neutral = Annotated[bool, typer.Option("--neutral", help="The change is meant to make no difference: tied passes.")]


def register(cli: typer.Typer) -> None:
    cli.command("promote", epilog=PROMOTE_EPILOG)(promote)
    group = typer.Typer(help="Show releases of prompts, roll back, ask the gate.", no_args_is_help=True)
    group.command("list", epilog=LIST_EPILOG)(list_all)
    group.command("show", epilog=SHOW_EPILOG)(show_one)
    group.command("rollback", epilog=ROLLBACK_EPILOG)(rollback)
    group.command("gate", epilog=GATE_EPILOG)(gate)
    protecting.register(group)
    cli.add_typer(group, name="releases", epilog=EPILOG)


def promote(
    name: SetName,
    tenant: Tenant = None,
    everybody: Everybody = False,
    to: Annotated[Literal["production", "candidate", "draft"], typer.Option(help="The stage to move it to.")] = (
        "production"
    ),
    note: Note = "",
    neutral: Neutral = False,
    override: Annotated[
        str | None, typer.Option(metavar="REASON", help="Release it although the gate blocks; shown ever after.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what the gate says.")] = False,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Move a prompt set to production if the gate lets it pass, or to candidate, or back to draft."""
    from engine.releases import Stage

    whose = _whose(build_services(), tenant, everybody=everybody)
    if not (note.strip() or dry_run):
        raise typer.BadParameter("say what the release is for", param_hint="--note")
    if override is not None and not override.strip():
        raise typer.BadParameter("is empty: say why it is released although the gate blocks", param_hint="--override")
    if to != "production":
        if neutral or override or dry_run:
            raise typer.BadParameter("the gate is only asked on the way into production", param_hint="--to")
        _conclude(_move(whose, name, Stage(to), person(by), note), None, as_json=as_json)
        return
    released, weighed = _promote(whose, name, None if dry_run else (person(by), note), override, neutral=neutral)
    _conclude(released, weighed, as_json=as_json)
    if weighed.decision.passed or released is not None:
        return
    say(advice_text(weighed.decision, name))
    raise typer.Exit(FAILED)


def list_all(
    tenant: Tenant = None,
    everybody: Everybody = False,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List a tenant's releases, the newest first."""
    from engine.releases import ReleaseRepository, Stage

    async def read(database: Database, tenant: UUID | str) -> tuple[tuple[Release, ...], int | None]:
        async with database.tenant(tenant).begin() as session:
            releases = ReleaseRepository(session)
            newest = await releases.newest(Stage.PRODUCTION)
            return await releases.history(limit=limit), newest.number if newest else None

    found, current = _asked(_whose(build_services(), tenant, everybody=everybody), read)
    if as_json:
        show_json([release_facts(each, in_production=each.number == current) for each in found])
    elif found:
        show(releases_text(found, current, datetime.now(UTC)))
    else:
        show("Nothing was released here: conversations are read with everybody's prompts, or the shipped ones.")


def show_one(
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="The release's number.")],
    tenant: Tenant = None,
    everybody: Everybody = False,
    prompt: Annotated[str | None, typer.Option(metavar="NAME", help="Print this prompt as it was released.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show one release, and what its verdict rests on."""
    from engine.releases import ReleaseRepository, Stage
    from workbench.text import UnknownNameError

    async def read(database: Database, tenant: UUID | str) -> tuple[Release, dict[str, str], int | None]:
        async with database.tenant(tenant).begin() as session:
            releases = ReleaseRepository(session)
            newest = await releases.newest(Stage.PRODUCTION)
            return await releases.get(number), await releases.contents(number), newest.number if newest else None

    release, contents, current = _asked(_whose(build_services(), tenant, everybody=everybody), read)
    if prompt is not None:
        if prompt not in contents:
            raise UnknownNameError("prompt", prompt, contents)
        typer.echo(contents[prompt], nl=False)
    elif as_json:
        facts = release_facts(release, in_production=number == current, evidence=True)
        show_json(facts | {"prompts": contents})
    else:
        show(release_text(release, in_production=number == current, prompts=sorted(contents)))


def rollback(
    tenant: Tenant = None,
    everybody: Everybody = False,
    to: Annotated[int | None, typer.Option(metavar="NUMBER", help="To this release; the one before if not.")] = None,
    note: Note = "",
    by: By = None,
    since: Seen = None,
    as_json: AsJson = False,
) -> None:
    """Bring back the release before."""
    from workbench.promoting import roll_back

    async def work(database: Database, tenant: UUID | str) -> Release:
        return await roll_back(database, tenant, by=person(by), note=note, to=to, since=since)

    _conclude(_asked(_whose(build_services(), tenant, everybody=everybody), work), None, as_json=as_json)


def gate(
    name: Annotated[str | None, typer.Argument(metavar="[SET]", help="What it says of this set.")] = None,
    tenant: Tenant = None,
    everybody: Everybody = False,
    neutral: Neutral = False,
    as_json: AsJson = False,
) -> None:
    """Show what the gate asks for, or what it says of a set."""
    from workbench.promoting import must_not_break, rules

    services = build_services()
    if name is None:
        asked, turns = rules(services), must_not_break(services).turns()
        show_json(rules_facts(asked, turns)) if as_json else show(rules_text(asked, turns))
        return
    _, weighed = _promote(_whose(services, tenant, everybody=everybody), name, None, None, neutral=neutral)
    _conclude(None, weighed, as_json=as_json)
    if not weighed.decision.passed:
        say(advice_text(weighed.decision, name))
        raise typer.Exit(FAILED)


Whose = tuple[Services, "UUID | str"]


def _whose(services: Services, tenant: str | None, *, everybody: bool) -> Whose:
    from engine.state.tenants import EVERYBODY

    if everybody and tenant is not None:
        raise typer.BadParameter("leave out either --tenant or --everybody", param_hint="--everybody")
    return services, EVERYBODY if everybody else tenant or services.settings.tenant


def _promote(
    whose: Whose, name: str, release_as: tuple[str, str] | None, override: str | None, *, neutral: bool
) -> tuple[Release | None, Weighed]:
    """What the gate says, and the release: none if it blocks without an override, or if nothing is to be released.

    `release_as` is who releases it, and the note.
    """
    from workbench.promoting import release, weigh

    async def work(database: Database, tenant: UUID | str) -> tuple[Release | None, Weighed]:
        weighed = await weigh(whose[0], database, name, tenant, neutral=neutral)
        if release_as is None or not (weighed.decision.passed or override):
            return None, weighed
        by, note = release_as
        return await release(database, tenant, weighed, by=by, note=note, override=override), weighed

    return _asked(whose, work)


def _move(whose: Whose, name: str, stage: Any, by: str, note: str) -> Release:
    from workbench.promoting import move

    async def work(database: Database, tenant: UUID | str) -> Release:
        return await move(whose[0], database, name, tenant, stage, by=by, note=note)

    return _asked(whose, work)


def _asked(whose: Whose, work: Callable[[Database, UUID | str], Awaitable[ResultT]]) -> ResultT:
    """What `work` returns of the database, for the tenant."""
    import asyncio

    services, tenant = whose

    async def asked() -> ResultT:
        database = await services.database()
        try:
            return await work(database, tenant)
        finally:
            await database.aclose()

    return asyncio.run(asked())


def _conclude(released: Release | None, weighed: Weighed | None, *, as_json: bool) -> None:
    if as_json:
        facts = None if released is None else release_facts(released, in_production=released.stage == "production")
        show_json({"release": facts, "decision": None if weighed is None else weighed.decision.evidence()})
        return
    if weighed is not None:
        show(weighed_text(weighed))
    if released is not None:
        where = "in production" if released.stage == "production" else f"now a {released.stage}"
        what = released.short if released.is_own else "no set of its own any more: everybody's, or the shipped one,"
        words = f"Release {released.number}: {what} is {where}."
        if released.overridden_because is not None:
            words += f" The gate was overridden: {released.overridden_because}."
        if released.stage == "production":
            words += " Running engines take it up within a minute."
        show(words)
