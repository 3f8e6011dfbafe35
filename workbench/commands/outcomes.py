"""`qbs outcomes`: what became of recommendations: list them, report what happened, resolve what closed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from uuid import uuid4

import typer

from engine.errors import ConfigurationError, InputError, StateError
from workbench.commands import outcomes_facts
from workbench.commands.exits import FAILED
from workbench.commands.moments import past
from workbench.commands.options import Limit, Tenant, named
from workbench.commands.outcomes_report import counts_text, events_text, outcome_facts, outcomes_text, resolved_text
from workbench.commands.output import AsJson, show, show_json
from workbench.commands.what_if import EPILOG as WHAT_IF_EPILOG
from workbench.commands.what_if import what_if
from workbench.databases import Role
from workbench.services import Services, build_services
from workbench.text import one_of

if TYPE_CHECKING:
    from uuid import UUID

    from engine.outcomes import OutcomeEvent, StandingOutcome
    from engine.state.database import TenantSession

RESOLVE_SECONDS = 3600.0  # for the outcomes of one tenant
READ_SECONDS = 120.0
PAGE = 500

EPILOG = """\
\b
Examples:
  qbs outcomes list                    what became of the newest questions
  qbs outcomes count                   how many stand where
  qbs outcomes resolve                 for a scheduler, every hour or so

\b
docs/outcomes.md says what counts as what.
"""
LIST_EPILOG = """\
\b
Examples:
  qbs outcomes list --status pending
  qbs outcomes list --account norrland-mills --contact ines.faro
  qbs outcomes list --limit 1000 --json | jq -r '.[].outcome_id'

\b
STATUS is one of pending, positive, negative, late, superseded, not_sent.
"""
COUNT_EPILOG = """\
\b
Examples:
  qbs outcomes count
  qbs outcomes count --tenant acme --json
"""
RESOLVE_EPILOG = """\
\b
Examples:
  qbs outcomes resolve                             every tenant's
  qbs outcomes resolve --tenant acme --tenant bolt
  qbs outcomes resolve --as-of 2026-03-02T00:00:00Z

\b
An outcome whose window has closed with nothing in it becomes negative. It can
be run as often as you like, and while replies come in.
"""
REPORT_EPILOG = """\
\b
Examples:
  qbs outcomes report sent OUTCOME
  qbs outcomes report not-sent OUTCOME --reason rewritten
  qbs outcomes report reply --account A --contact C --key MESSAGE-ID

\b
For a system that sends and receives the messages. A report that is delivered
again under the same --key changes nothing; without one, each is a new report,
and the newest counts.
"""
SENT_EPILOG = """\
\b
Examples:
  qbs outcomes report sent 5f7d85ee-2ae1-4921-b82a-cad0429473bb
  qbs outcomes report sent OUTCOME --at 2026-03-02T09:30:00+01:00
"""
NOT_SENT_EPILOG = """\
\b
Example:
  qbs outcomes report not-sent OUTCOME --reason "the seller asked otherwise"

\b
A question that never went out is in no rate. A reply that was taken for an
answer to it goes to the question before.
"""
REPLY_EPILOG = """\
\b
Example:
  qbs outcomes report reply --account norrland-mills --contact ines.faro \\
      --at 2026-03-02T09:30:00+01:00 --key 'msg-1741@mail.example.com'

\b
It answers the newest question that was asked before it was written: in time,
or late. Messages that `take_turn` was given are reported already.
"""

ResultT = TypeVar("ResultT")


Account = Annotated[str | None, typer.Option("--account", metavar="ID", help="The contact's account.")]
Contact = Annotated[str | None, typer.Option("--contact", metavar="ID", help="The contact, with --account.")]
At = Annotated[str | None, typer.Option("--at", metavar="TIME", help="When it happened, with its zone; now if not.")]
Key = Annotated[
    str | None, typer.Option("--key", metavar="TEXT", help="The report's own name: given again, it changes nothing.")
]
Outcome = Annotated[str, typer.Argument(metavar="OUTCOME", help="Its id.")]
Work = Callable[["TenantSession"], Awaitable[ResultT]]


def register(cli: typer.Typer) -> None:
    group = typer.Typer(help="List, report and resolve what became of recommendations.", no_args_is_help=True)
    group.command("list", epilog=LIST_EPILOG)(list_all)
    group.command("count", epilog=COUNT_EPILOG)(count_all)
    group.command("resolve", epilog=RESOLVE_EPILOG)(resolve)
    group.command("what-if", epilog=WHAT_IF_EPILOG)(what_if)
    report = typer.Typer(help="Tell what happened to a question.", no_args_is_help=True)
    report.command("sent", epilog=SENT_EPILOG)(report_sent)
    report.command("not-sent", epilog=NOT_SENT_EPILOG)(report_not_sent)
    report.command("reply", epilog=REPLY_EPILOG)(report_reply)
    group.add_typer(report, name="report", epilog=REPORT_EPILOG)
    outcomes_facts.register(group)
    cli.add_typer(group, name="outcomes", epilog=EPILOG)


def list_all(
    status: Annotated[str | None, typer.Option(metavar="STATUS", help="Only those that stand there.")] = None,
    account: Account = None,
    contact: Contact = None,
    tenant: Tenant = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List outcomes, the newest recommendation first."""
    from engine.outcomes import OutcomeStatus, list_outcomes

    if status is not None and status not in list(OutcomeStatus):
        raise typer.BadParameter(f"{status} is none of {one_of([*OutcomeStatus])}", param_hint="--status")
    if (account is None) != (contact is None):
        raise typer.BadParameter("--account and --contact go together", param_hint="--contact")

    async def read(session: TenantSession) -> list[StandingOutcome]:
        state_id = await _state_id(session, account, contact) if account and contact else None
        found: list[StandingOutcome] = []
        after = None
        while len(found) < limit:
            wanted = min(PAGE, limit - len(found))
            page = await list_outcomes(
                session, state_id=state_id, status=OutcomeStatus(status) if status else None, limit=wanted, after=after
            )
            found += page.outcomes
            if (after := page.next) is None:
                break
        return found

    found = _run(_with_tenant(build_services(), tenant, read, READ_SECONDS))
    if as_json:
        show_json([outcome_facts(each) for each in found])
    elif found:
        show(outcomes_text(found, datetime.now(UTC)))
    else:
        show("There are no such outcomes." if status or account else "There are no outcomes yet of this tenant.")


def count_all(tenant: Tenant = None, as_json: AsJson = False) -> None:
    """Count outcomes by what they are watched for, action and status."""
    from engine.outcomes import count_outcomes

    counts = _run(_with_tenant(build_services(), tenant, count_outcomes, READ_SECONDS))
    if as_json:
        show_json([each.model_dump(mode="json") for each in counts])
    elif counts:
        show(counts_text(counts))
    else:
        show("There are no outcomes yet of this tenant.")


def resolve(
    tenant: Annotated[
        list[str] | None,
        typer.Option("--tenant", metavar="NAME", callback=named, help="Only this one's; every tenant's if not given."),
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="TIME", help="What had closed by then; now if not given.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find the windows that have closed with nothing in them."""
    moment = past(as_of, "--as-of", "what is open now may still be answered") or datetime.now(UTC)
    done = _run(_resolve_each(build_services(), tenant, moment))
    if as_json:
        show_json({"as_of": moment.isoformat(), "resolved": sum(each["resolved"] for each in done), "tenants": done})
    else:
        show(resolved_text(done))
    if any(each["problem"] for each in done):
        raise typer.Exit(FAILED)


def report_sent(
    outcome: Outcome, at: At = None, key: Key = None, tenant: Tenant = None, as_json: AsJson = False
) -> None:
    """Tell that the question was sent."""
    from engine.outcomes import OutcomeTracker

    moment = past(at, "--at")

    async def work(session: TenantSession) -> Sequence[OutcomeEvent]:
        return await OutcomeTracker(session).record_sent(outcome, at=moment, key=key or uuid4().hex)

    _show_events(_run(_with_tenant(build_services(), tenant, _new(work))), as_json=as_json)


def report_not_sent(
    outcome: Outcome,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why, in a few words.")] = None,
    at: At = None,
    key: Key = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Tell that the question was never sent."""
    from engine.outcomes import OutcomeTracker

    moment = past(at, "--at")

    async def work(session: TenantSession) -> Sequence[OutcomeEvent]:
        return await OutcomeTracker(session).record_not_sent(outcome, at=moment, key=key or uuid4().hex, reason=reason)

    _show_events(_run(_with_tenant(build_services(), tenant, _new(work))), as_json=as_json)


def report_reply(
    account: Annotated[str, typer.Option(metavar="ID", help="The contact's account.")],
    contact: Annotated[str, typer.Option(metavar="ID", help="Who wrote.")],
    key: Annotated[str, typer.Option(metavar="TEXT", help="The message's own id.")],
    at: At = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Tell that the customer wrote."""
    from engine.outcomes import OutcomeTracker

    moment = past(at, "--at") or datetime.now(UTC)

    async def work(session: TenantSession) -> Sequence[OutcomeEvent]:
        state_id = await _state_id(session, account, contact)
        event = await OutcomeTracker(session).record_reply(state_id, at=moment, key=key)
        return [event] if event else []

    _show_events(_run(_with_tenant(build_services(), tenant, _new(work))), as_json=as_json)


async def _with_tenant(
    services: Services, tenant: str | None, work: Work[ResultT], timeout_s: float | None = None
) -> ResultT:
    """What `work` returns, done in one transaction of the tenant's."""
    database = await services.database()
    try:
        async with database.tenant(tenant or services.settings.tenant).begin(timeout_s=timeout_s) as session:
            return await work(session)
    finally:
        await database.aclose()


async def _resolve_each(services: Services, named: Sequence[str] | None, as_of: datetime) -> list[dict[str, Any]]:
    """One tenant after the other, each in its own transaction as the application; one that fails stops no other."""
    import asyncio

    from engine.outcomes import resolve_closed

    done: list[dict[str, Any]] = []
    database = await services.database()
    try:
        tenants: Sequence[UUID | str] = list(named) if named else await asyncio.to_thread(_everybody, services)
        for tenant in tenants:
            resolved, problem = 0, None
            try:
                async with database.tenant(tenant).begin(timeout_s=RESOLVE_SECONDS) as session:
                    resolved = await resolve_closed(session, as_of)
            except StateError as error:
                problem, resolved = str(error), 0
            done.append({"tenant": str(tenant), "resolved": resolved, "problem": problem})
    finally:
        await database.aclose()
    return done


def _everybody(services: Services) -> tuple[UUID, ...]:
    """The tenants that have outcomes. Raises ConfigurationError where nobody can say who they are."""
    from engine.outcomes.tenants import tenants_with_outcomes

    server = services.database_server
    if not server.has(Role.MAINTENANCE):
        raise ConfigurationError(
            "only a role that sees every tenant's rows can say whose outcomes there are: set "
            "QBS_DATABASE_MAINTENANCE_URL, or name the tenants with --tenant"
        )
    return tenants_with_outcomes(server.url(Role.MAINTENANCE))


async def _state_id(session: TenantSession, account: str, contact: str) -> UUID:
    """Raises InputError for a contact that has no state."""
    from engine.state.repository import ConversationStateRepository, state_id_of

    if await ConversationStateRepository(session).get(account, contact) is None:
        raise InputError(f"nothing is known of a contact {contact!r} of the account {account!r}, of this tenant")
    return state_id_of(session.tenant_id, account, contact)


def _new(work: Work[Sequence[OutcomeEvent]]) -> Work[Sequence[OutcomeEvent]]:
    """That work, of whose events only those are returned that were not there before: its own transaction's."""
    from engine.outcomes.sql import statement

    begun = statement("select now() as begun", ("begun",))

    async def only_new(session: TenantSession) -> Sequence[OutcomeEvent]:
        events = await work(session)
        ((row,),) = await session.send(begun())
        return [event for event in events if event.recorded_at == row["begun"]]

    return only_new


def _run(work: Coroutine[Any, Any, ResultT]) -> ResultT:
    import asyncio

    return asyncio.run(work)


def _show_events(events: Sequence[OutcomeEvent], *, as_json: bool) -> None:
    if as_json:
        show_json([event.model_dump(mode="json") for event in events])
    else:
        show(events_text(events))
