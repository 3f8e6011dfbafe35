"""`qbs optimise`: search for a better version of a prompt, within a budget, and test the winner on unseen turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.commands.exits import FAILED, INTERRUPTED, NOT_WORKING, say, this_command
from workbench.commands.interruptions import Interruptions, gentle_stop, interruptions
from workbench.commands.output import AsJson, show, show_json
from workbench.services import DEFAULT_DATASET, Services, build_services
from workbench.settings import load_settings
from workbench.text import UnknownNameError, cost, count, table

if TYPE_CHECKING:
    from evals.progress import Progress
    from evals.tuning.search_record import SearchedCandidate, SearchRecord
    from workbench.searches import PlannedSearch, Searched

EPILOG = """\
\b
Examples:
  qbs optimise extraction --metric extraction.f1 --calls 1500
  qbs optimise question --metric question.type --metric question.engagement \\
      --calls 2000 --cost 5
  qbs optimise extraction --metric extraction.f1 --calls 1500 --from my-set

\b
A part of the conversations is held out: the search never sees them, and its
winner is compared with the first version on them, once. Conversations of the
test part of a data set take no part.
Every candidate is kept as a version (`qbs prompts list`). Whatever was asked
is recorded: the same command goes on and pays for nothing twice.
Exit codes: 0 done, also if nothing better was found; 1 stopped at the limit;
4 if no model can be reached.
"""


def register(cli: typer.Typer) -> None:
    cli.command("optimise", epilog=EPILOG)(optimise)


def optimise(
    prompt: Annotated[str, typer.Argument(metavar="PROMPT", help="extraction, question or expansion.")],
    metric: Annotated[list[str], typer.Option("--metric", metavar="NAME", help="What to improve; may be repeated.")],
    calls: Annotated[int, typer.Option(min=1, metavar="N", help="The most calls, the final test included.")],
    dataset: Annotated[str, typer.Option("--dataset", metavar="NAME", help="A data set with labels.")] = (
        DEFAULT_DATASET
    ),
    cost_usd: Annotated[float | None, typer.Option("--cost", min=0, metavar="USD", help="The most money.")] = None,
    prompts: Annotated[str, typer.Option("--from", metavar="SET", help="The prompt set to begin with.")] = "shipped",
    variant: Annotated[str, typer.Option(metavar="NAME", help="Who is asked: llm, or llm:<model>.")] = "llm",
    holdout: Annotated[
        float, typer.Option(min=0.05, max=0.8, metavar="SHARE", help="Of the conversations, held out.")
    ] = 0.3,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Of what is held out, and of the search.")] = 0,
    turns: Annotated[int, typer.Option(min=3, metavar="N", help="The most turns to search with.")] = 40,
    patience: Annotated[
        int, typer.Option(min=1, metavar="N", help="Proposals in a row without progress that end it.")
    ] = 8,
    section: Annotated[
        list[str] | None, typer.Option("--section", metavar="NAME", help="What may change; `system` if not given.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Search for a better version of a prompt."""
    from engine.prompts import ANALYSIS_PROMPTS
    from workbench.searches import SearchRequest, plan_search

    services = build_services(load_settings())
    if prompt not in services.prompts().names():
        raise UnknownNameError("prompt", prompt, ANALYSIS_PROMPTS, where="whose answers labels judge")
    request = SearchRequest(
        prompt,
        dataset,
        tuple(metric),
        calls,
        cost_usd,
        prompts,
        variant,
        holdout,
        seed,
        turns,
        patience,
        tuple(section or ()),
    )
    planned = plan_search(services, request)
    searched = _perform(services, planned)
    if as_json:
        show_json(_facts(searched))
    else:
        show(_summary(planned, searched))
    _conclude(services, planned, searched)


def _perform(services: Services, planned: PlannedSearch) -> Searched:
    """Search, showing how much is spent. Ctrl-C stops it cleanly."""
    import asyncio

    from workbench.commands.progress import shown_progress

    say("Loading the model libraries ...")
    title = f"{planned.request.prompt} on {planned.dataset.name} by {planned.variant.name}"
    with interruptions(_how_to_go_on("Stopped at once")) as interrupted, shown_progress(title, _how_far) as note:
        return asyncio.run(_until_stopped(services, planned, note, interrupted))


async def _until_stopped(
    services: Services, planned: PlannedSearch, note: Callable[[Progress], None], interrupted: Interruptions
) -> Searched:
    from workbench.searches import search

    with gentle_stop(interrupted, "calls") as stop:
        return await search(services, planned, on_progress=note, stop=stop)


def _how_far(progress: Progress) -> str:
    return f"{progress.done:,} of {count(progress.total, 'call')}, {cost(progress.cost_usd)}"


def _summary(planned: PlannedSearch, searched: Searched) -> str:
    record = searched.record
    halves = planned.halves
    spent = ", ".join([count(record.calls, "call"), f"{record.tokens:,} tokens", cost(record.cost_usd)])
    seen = f"{count(searched.found.turns, 'turn')} of {count(len(halves.search), 'conversation')} to search with"
    held_out = f"{count(len(halves.held_out), 'conversation')} held out"
    lines = [f"{record.search_id}: {record.ended}; {spent}", f"  {seen}, {held_out}", "", _table(record)]
    lines += [f"  {count(len(record.refused), 'proposal')} could not be used:"] if record.refused else []
    lines += [f"    {reason}" for reason in record.refused]
    return "\n".join([*lines, "", *_winner(searched)])


def _table(record: SearchRecord) -> str:
    names = record.spec.metrics
    rows = [_row(own, names) for own in record.candidates]
    return table(rows, ["  NO", "VERSION", "FROM", *names, "FRONT", "NOTE"], right=[*range(3, 3 + len(names))])


def _row(own: SearchedCandidate, names: tuple[str, ...]) -> list[str]:
    figures = [f"{own.scores[name]:.3f}" if own.scores else "" for name in names]
    parent = "" if own.parent is None else str(own.parent)
    note = "" if own.scores else own.note
    return [f"  {own.number}", own.version, parent, *figures, "yes" if own.on_front else "", note]


def _winner(searched: Searched) -> Iterator[str]:
    from evals.tuning.trials import in_words

    record = searched.record
    if record.winner is None:
        yield "Nothing better was found than what it began with."
        return
    yield f"The winner is kept as the prompt set {record.winner[:8]}."
    if searched.comparison is not None:
        yield f"{in_words(searched.comparison)} The search never saw them."
    elif record.held_out is not None:
        yield "Its test on the held-out conversations is not complete."


def _facts(searched: Searched) -> dict[str, Any]:
    from evals.comparison_rows import facts

    return searched.record.model_dump(mode="json") | {
        "comparison": facts(searched.comparison) if searched.comparison else None
    }


def _conclude(services: Services, planned: PlannedSearch, searched: Searched) -> None:
    """Say on stderr what can be done next. Ends the command unless the search came to its own end."""
    from evals.tuning.candidates import SearchEnd
    from workbench.health import advice_for

    record = searched.record
    if searched.found.ended is SearchEnd.UNANSWERED and searched.found.reason is not None:
        advice = advice_for(searched.found.reason, planned.spec.reasoning_model, services.settings)
        say(_how_to_go_on(f"Stopped: no model answered ({record.reason}). {advice[0].upper()}{advice[1:]}"))
        raise typer.Exit(NOT_WORKING)
    if searched.found.ended is SearchEnd.STOPPED:
        say(_how_to_go_on("Stopped"))
        raise typer.Exit(INTERRUPTED)
    cut_short = record.held_out is not None and not record.held_out.complete
    if searched.found.ended is SearchEnd.LIMIT or cut_short:
        say(_how_to_go_on("Stopped at the limit"))
        raise typer.Exit(FAILED)
    if record.winner is not None:
        diff = f"qbs prompts diff {record.candidates[0].version} {_version_of_winner(searched)}"
        say(f"Next: {diff}\n      qbs promote {record.winner[:8]} --dry-run")


def _version_of_winner(searched: Searched) -> str:
    best = searched.found.best
    return searched.record.candidates[best.number if best else 0].version


def _how_to_go_on(what_happened: str) -> str:
    return f"{what_happened}. What was asked is recorded; the same command goes on:\n  {this_command()}"
