"""`qbs outcomes sync|import|rates`: the copy of outcomes that is learned from: filled, and looked at."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.commands.exits import FAILED, INVALID, say
from workbench.commands.options import Tenant, named
from workbench.commands.output import AsJson, show, show_json
from workbench.services import Services, build_services
from workbench.text import count, table

if TYPE_CHECKING:
    from evals.learning.facts import Filters
    from evals.learning.importing import Imported, Mapping
    from evals.learning.pooling import Pooled
    from evals.learning.sync import Synced

SHOWN_PROBLEMS = 20

SYNC_EPILOG = """\
\b
Examples:
  qbs outcomes sync                  what is new of QBS_TENANT
  qbs outcomes sync --tenant acme --tenant bolt

\b
Interrupted, it goes on where it was. docs/learning.md says what is copied.
"""
IMPORT_EPILOG = """\
\b
Examples:
  qbs outcomes import crm.csv --map recommended_at=SentDate \\
      --map conversation=CaseId --map replied_at=AnsweredAt \\
      --zone Europe/Berlin --save-mapping crm
  qbs outcomes import next-week.csv --mapping crm
  qbs outcomes import crm.csv --mapping crm --keep-going

\b
The same file twice adds nothing; a row that says something else than before
corrects it. docs/learning.md lists the fields.
"""
RATES_EPILOG = """\
\b
Examples:
  qbs outcomes rates
  qbs outcomes rates --by question_type,persona --where stage=discovery
  qbs outcomes rates --by prompt --since 2026-03-01T00:00:00Z --json
  qbs outcomes rates --by delivery --tenant simulated

\b
RATE is as counted with its 95 % interval, POOLED is pulled toward the whole:
the fewer outcomes, the more; OWN is the weight of its own outcomes in that.
Dimensions: question_type, target, delivery, engagement, pain_depth, stage,
persona, channel, analyzer, model, prompt, fallback_reason, calibration and
origin.
The tenant `simulated` is a simulated world.
"""


def register(group: typer.Typer) -> None:
    group.command("sync", epilog=SYNC_EPILOG)(sync_all)
    group.command("import", epilog=IMPORT_EPILOG)(import_file)
    group.command("rates", epilog=RATES_EPILOG)(show_rates)


def sync_all(
    tenant: Annotated[
        list[str] | None,
        typer.Option("--tenant", metavar="NAME", callback=named, help="Whose; QBS_TENANT if not given."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Bring the copy that is learned from up to date with Postgres."""
    services = build_services()
    done = _run(_sync_each(services, tenant or [services.settings.tenant]))
    if as_json:
        show_json(done)
    else:
        for each in done:
            show(f"{each['tenant']}: {each['problem'] or _synced_text(each)}")
    if any(each["problem"] for each in done):
        raise typer.Exit(FAILED)


def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .csv, .parquet or .jsonl file.")],
    columns: Annotated[
        list[str] | None, typer.Option("--map", metavar="FIELD=COLUMN", help="Which column a field is.")
    ] = None,
    zone: Annotated[str | None, typer.Option(metavar="ZONE", help="Of times that say none: Europe/Berlin.")] = None,
    mapping: Annotated[str | None, typer.Option(metavar="NAME", help="A mapping that was saved.")] = None,
    save_mapping: Annotated[str | None, typer.Option(metavar="NAME", help="Remember this mapping.")] = None,
    keep_going: Annotated[bool, typer.Option("--keep-going", help="Import the rest where rows are wrong.")] = False,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Import outcomes that live elsewhere."""
    from evals.learning.importing import ImportRefusedError, import_outcomes

    services = build_services()
    chosen = _mapping(services, mapping, columns or [], zone)
    try:
        imported = import_outcomes(
            services.outcome_store(), tenant or services.settings.tenant, file, chosen, keep_going=keep_going
        )
    except ImportRefusedError as error:
        _say_problems(error.problems)
        say(f"Error: nothing was imported: {count(len(error.problems), 'problem')} in {file}")
        raise typer.Exit(INVALID) from None
    if save_mapping:
        services.outcome_mappings().save(save_mapping, chosen)
    _say_problems(imported.problems)
    if as_json:
        show_json(_imported_facts(imported))
    else:
        show(_imported_text(imported))


def show_rates(
    by: Annotated[str, typer.Option(metavar="DIMENSIONS", help="Crossed, with commas between.")] = "question_type",
    where: Annotated[
        list[str] | None, typer.Option(metavar="DIMENSION=WORD", help="Only these; again for more words.")
    ] = None,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="Recommended from then on.")] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Recommended before.")] = None,
    outcome_type: Annotated[str, typer.Option("--type", metavar="TYPE", help="What outcomes are watched for.")] = (
        "email_engagement"
    ),
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Show reply rates by any crossing, with counts and intervals."""
    from engine.outcomes import OutcomeType
    from evals.learning.pooling import pooled
    from workbench.learning import is_simulated

    if outcome_type not in list(OutcomeType):
        raise typer.BadParameter(f"{outcome_type} is none of {', '.join(OutcomeType)}", param_hint="--type")
    services = build_services()
    who = tenant or services.settings.tenant
    store, simulated = services.outcomes_of(who), is_simulated(who)
    dimensions = [name.strip() for name in by.split(",") if name.strip()]
    cells = store.cells(
        who, dimensions, outcome_type=OutcomeType(outcome_type), filters=_filters(where or [], since, until)
    )
    rates = pooled(cells)
    if as_json:
        show_json([_rate_facts(dimensions, each) | {"simulated": simulated} for each in rates])
    elif rates:
        show(_rates_text(dimensions, rates))
        show(f"\n{_beside(cells)}" + (" Simulated: no customer said any of this." if simulated else ""))
    else:
        show("There are no resolved outcomes like that; `qbs outcomes sync` copies what Postgres has.")


async def _sync_each(services: Services, tenants: Sequence[str]) -> list[dict[str, Any]]:
    """One tenant after the other; one that fails stops no other."""
    from engine.errors import QBSError
    from evals.learning.sync import sync

    store, done = services.outcome_store(), []
    database = await services.database()
    try:
        for tenant in tenants:
            try:
                synced: Synced = await sync(database, store, tenant)
                done.append({"tenant": tenant, "problem": None, **asdict(synced)})
            except QBSError as error:
                done.append({"tenant": tenant, "problem": str(error)})
    finally:
        await database.aclose()
    return done


def _mapping(services: Services, name: str | None, pairs: Sequence[str], zone: str | None) -> Mapping:
    from evals.learning.importing import Mapping

    saved = services.outcome_mappings().load(name) if name else Mapping()
    return Mapping(saved.columns | dict(_pair(pair, "--map", "FIELD=COLUMN") for pair in pairs), zone or saved.zone)


def _filters(where: Sequence[str], since: str | None, until: str | None) -> Filters:
    from evals.learning.facts import Filters

    words: dict[str, list[str | None]] = {}
    for pair in where:
        name, word = _pair(pair, "--where", "DIMENSION=WORD")
        words.setdefault(name, []).append(word)
    return Filters(words, _moment(since, "--since"), _moment(until, "--until"))


def _pair(text: str, option: str, form: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not (name.strip() and sign and value.strip()):
        raise typer.BadParameter(f"{text!r} is not {form}", param_hint=option)
    return name.strip(), value.strip()


def _moment(text: str | None, option: str) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time; one is 2026-03-02T09:00:00+01:00", param_hint=option) from None
    if moment.tzinfo is None:
        raise typer.BadParameter(f"{text!r} lacks its zone: end it with Z or +01:00", param_hint=option)
    return moment.astimezone(UTC)


def _synced_text(synced: dict[str, Any]) -> str:
    if not synced["outcomes"] + synced["events"]:
        return "nothing is new."
    return f"{count(synced['outcomes'], 'new outcome')}, {count(synced['events'], 'new event')}."


def _say_problems(problems: Sequence[Any]) -> None:
    for problem in problems[:SHOWN_PROBLEMS]:
        say(f"{problem.file}:{problem.line}: {problem.text}")
    if len(problems) > SHOWN_PROBLEMS:
        say(f"... and {len(problems) - SHOWN_PROBLEMS:,} more")


def _imported_facts(imported: Imported) -> dict[str, Any]:
    problems = [{"line": each.line, "problem": each.text} for each in imported.problems]
    return {
        "added": imported.added,
        "corrected": imported.corrected,
        "unchanged": imported.unchanged,
        "problems": problems,
    }


def _imported_text(imported: Imported) -> str:
    left_out = f" {count(len(imported.problems), 'problem')}, whose rows were left out." if imported.problems else ""
    return (
        f"{count(imported.added, 'outcome')} added, {imported.corrected:,} corrected, "
        f"{imported.unchanged:,} there already.{left_out}"
    )


def _rate_facts(by: Sequence[str], each: Pooled) -> dict[str, Any]:
    raw = each.raw
    return {
        **dict(zip(by, raw.cell.key, strict=True)),
        "rate": raw.value,
        "low": raw.low,
        "high": raw.high,
        "interval": raw.method,
        "pooled": each.value,
        "pooled_low": each.low,
        "pooled_high": each.high,
        "own_weight": each.weight,
        **{name: value for name, value in asdict(raw.cell).items() if name not in ("key", "squares")},
    }


def _rates_text(by: Sequence[str], rates: Sequence[Pooled]) -> str:
    header = [*(name.upper() for name in by), "RESOLVED", "RATE", "95 %", "POOLED", "95 %", "OWN"]
    cells = [
        [
            *(word or "not known" for word in each.raw.cell.key),
            f"{each.raw.n:,}",
            "-" if each.raw.value is None else f"{100 * each.raw.value:.1f} %",
            _interval(each.raw.low, each.raw.high),
            f"{100 * each.value:.1f} %",
            _interval(each.low, each.high),
            f"{100 * each.weight:.0f} %",
        ]
        for each in rates
    ]
    return table(cells, header, right=range(len(by), len(by) + 6))


def _interval(low: float | None, high: float | None) -> str:
    return "-" if low is None or high is None else f"{100 * low:.1f} to {100 * high:.1f}"


def _beside(cells: Sequence[Any]) -> str:
    """What is in no rate."""
    names = {"pending": "pending", "early": "answered early", "superseded": "superseded", "not_sent": "not sent"}
    counts = {word: sum(getattr(cell, name) for cell in cells) for name, word in names.items()}
    return f"In no rate: {', '.join(f'{number:,} {word}' for word, number in counts.items())}."


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    import asyncio

    return asyncio.run(work)
