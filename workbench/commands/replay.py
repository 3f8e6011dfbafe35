"""`qbs replay`: recorded conversations through the engine, kept as a run."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from workbench.commands import options
from workbench.commands.exits import FAILED, INTERRUPTED, NOT_WORKING, say, this_command
from workbench.commands.interruptions import Interruptions, gentle_stop, interruptions
from workbench.commands.output import AsJson, in_the_app, show, show_json
from workbench.services import DEFAULT_DATASET, Services, build_services
from workbench.settings import Settings, load_settings
from workbench.text import cost, count, duration, the_one

if TYPE_CHECKING:
    from engine.model.analysis import FallbackReason
    from engine.prompts import PromptLibrary
    from evals.progress import Progress
    from evals.records import Fork
    from evals.runs.folder import RunFolder
    from evals.runs.rows import RunRow
    from workbench.replays import Outcome, PlannedReplay, ReplayRequest

EPILOG = """\
\b
Examples:
  qbs replay                              the shipped conversations, by rules
  qbs replay --variant recorded           with the answers that were recorded
  qbs replay --variant llm:openai/gpt-4.1 --limit-cost 2.50
  qbs replay --conversation won-energy --conversation champion
  qbs replay --state gold                 each turn from the labelled state
  qbs replay --variant recorded --fork latest:won-energy:4
                                          go on from turn 4 of the newest run
  qbs replay --variant llm --turns-of latest --turn champion:9
                                          this turn, in its state there

\b
The variants: rules, recorded, labels, llm (the configured models), llm:MODEL,
llm:REASONING+FAST.

\b
The same command again does only what is missing, and a finished run says so.
Ctrl-C stops cleanly: what was answered is kept, and the exit code is 130.
A limit counts what this command does, and stops it with 1 when it is reached.
If no model can be reached, it stops with 4 and says what to put right.
"""


def register(cli: typer.Typer) -> None:
    cli.command("replay", epilog=EPILOG)(replay)


def replay(
    dataset: options.DatasetToReplay = None,
    conversation: Annotated[
        list[str] | None, typer.Option("--conversation", metavar="ID", help="Only this one; may be repeated.")
    ] = None,
    variant: Annotated[str, typer.Option(metavar="NAME", help="What answers; see below.")] = "rules",
    state: Annotated[
        Literal["carried", "gold"], typer.Option(help="Carry the run's own state, or take it from the labels.")
    ] = "carried",
    fork: Annotated[
        str | None, typer.Option(metavar="RUN:CONVERSATION:TURN", help="Go on from a turn of an earlier run.")
    ] = None,
    turns_of: Annotated[
        str | None, typer.Option("--turns-of", metavar="RUN", help="Only single turns, in this run's state there.")
    ] = None,
    turn: Annotated[
        list[str] | None, typer.Option("--turn", metavar="CONVERSATION:TURN", help="Which; may be repeated.")
    ] = None,
    prompts: Annotated[
        str | None, typer.Option("--prompts", metavar="SET", help="shipped, a saved set, or such as question@v2.")
    ] = None,
    samples: options.Samples = 1,
    split: options.Split = None,
    again: Annotated[bool, typer.Option("--again", help="Ask anew what was answered before.")] = False,
    concurrency: options.Concurrency = None,
    deadline: options.Deadline = None,
    limit_cost: options.LimitCost = None,
    limit_calls: options.LimitCalls = None,
    limit_tokens: options.LimitTokens = None,
    limit_time: options.LimitTime = None,
    as_json: AsJson = False,
) -> None:
    """Replay recorded conversations through the engine."""
    from workbench.replays import plan_replay

    settings = options.with_options(
        load_settings(),
        concurrency=concurrency,
        deadline_seconds=deadline,
        max_cost_usd=limit_cost,
        max_calls=limit_calls,
        max_tokens=limit_tokens,
        max_seconds=limit_time,
    )
    services = build_services(settings)
    if turns_of or turn:
        if conversation or fork or split or state == "gold":
            raise typer.BadParameter("--turns-of takes --turn, and no --conversation, --fork, --split or --state")
        request = _of_turns(services, dataset, variant, turns_of, turn or [])
    else:
        request = _request(services, dataset, conversation or [], variant, state=state, fork=fork, split=split)
    library = chosen_prompts(services, prompts, variant)
    request = dataclasses.replace(request, samples=samples, again=again, prompts=library)
    outcome = perform(services, plan_replay(services, request))
    conclude(services, outcome, as_json=as_json)


def chosen_prompts(services: Services, name: str | None, variant: str) -> PromptLibrary | None:
    """The prompts that `--prompts` names. Raises UnknownNameError with the choices, typer.BadParameter."""
    if name is None:
        return None
    if variant in ("rules", "labels"):
        raise typer.BadParameter(f"{variant} asks no model, so that no prompt is used", param_hint="--prompts")
    return services.prompts(name)


def prepare_runs(services: Services) -> None:
    """Replay the shipped conversations by rules and, if they come with recordings, from those, where need be.

    The runs are indexed then. Ctrl-C ends the command.
    """
    from workbench.replays import ReplayRequest, is_complete, plan_replay

    recorded = services.has_recordings(DEFAULT_DATASET)
    for variant in ("rules", "recorded") if recorded else ("rules",):
        planned = plan_replay(services, ReplayRequest(DEFAULT_DATASET, variant=variant))
        if not is_complete(services, planned) and perform(services, planned).ended != "complete":
            raise typer.Exit(INTERRUPTED)
    services.run_index().refresh()  # so that the first page need not


def perform(services: Services, planned: PlannedReplay) -> Outcome:
    """Do what is missing of a planned replay, showing how far it is. Ctrl-C stops it cleanly."""
    import asyncio

    from workbench.commands.progress import shown_progress
    from workbench.replays import is_complete

    if planned.spec.variant.reasoning_model is not None and not is_complete(services, planned):
        say("Loading the model libraries ...")
    title = f"{planned.dataset.name} by {planned.spec.variant.name}"
    with interruptions(_how_to_go_on("Stopped at once")) as interrupted, shown_progress(title) as show_progress:
        return asyncio.run(_until_stopped(services, planned, show_progress, interrupted))


async def _until_stopped(
    services: Services, planned: PlannedReplay, note: Callable[[Progress], None], interrupted: Interruptions
) -> Outcome:
    """The first Ctrl-C (or SIGTERM) lets the turns under way end, the second does not."""
    from workbench.replays import carry_out

    with gentle_stop(interrupted, "turns") as stop:
        return await carry_out(services, planned, on_progress=note, stop=stop)


def _request(
    services: Services,
    dataset: str | None,
    conversations: Sequence[str],
    variant: str,
    *,
    state: str,
    fork: str | None,
    split: Literal["dev", "test"] | None,
) -> ReplayRequest:
    from evals.records import StateMode
    from workbench.replays import ReplayRequest

    if fork and (conversations or split or state == "gold"):
        raise typer.BadParameter("a fork goes on with one conversation; leave out --conversation, --split and --state")
    if conversations and split:
        raise typer.BadParameter("say either --conversation or --split")
    forked = _fork(services, fork) if fork else None
    known = services.run(forked.run_id).manifest.spec.dataset if forked else DEFAULT_DATASET
    return ReplayRequest(
        dataset or known, tuple(conversations), variant, split=split, state=StateMode(state), fork=forked
    )


def _of_turns(
    services: Services, dataset: str | None, variant: str, run: str | None, turns: Sequence[str]
) -> ReplayRequest:
    """Read --turns-of RUN --turn CONVERSATION:TURN. Raises typer.BadParameter."""
    from evals.records import PickedTurns
    from workbench.replays import ReplayRequest

    if not (run and turns):
        raise typer.BadParameter("--turns-of RUN and --turn CONVERSATION:TURN go together")
    spec = (folder := services.run(run)).manifest.spec
    places = {(_of_run(folder, conversation), turn) for conversation, turn in map(_turn, turns)}
    picked = PickedTurns(run_id=folder.run_id, turns=tuple(sorted(places)))
    return ReplayRequest(dataset or spec.dataset, variant=variant, picked=picked)


def _turn(text: str) -> tuple[str, int]:
    """Read CONVERSATION:TURN. Raises typer.BadParameter."""
    conversation, _, turn = text.rpartition(":")
    if not (conversation and turn.isascii() and turn.isdigit()):
        raise typer.BadParameter(f"{text!r} is not CONVERSATION:TURN, such as c07:9", param_hint="--turn")
    return conversation, int(turn)


def _fork(services: Services, text: str) -> Fork:
    """Read RUN:CONVERSATION:TURN; the run may be named as everywhere. Raises typer.BadParameter."""
    from evals.records import Fork

    run, _, rest = text.partition(":")
    conversation, _, turn = rest.rpartition(":")
    if not (run and conversation and turn.isascii() and turn.isdigit()):
        raise typer.BadParameter(f"{text!r} is not RUN:CONVERSATION:TURN, such as latest:c07:9", param_hint="--fork")
    folder = services.run(run)
    return Fork(run_id=folder.run_id, conversation_id=_of_run(folder, conversation), turn=int(turn))


def _of_run(folder: RunFolder, conversation: str) -> str:
    """A conversation of a run, by its id or a unique part of it. Raises UnknownNameError."""
    return the_one("conversation", conversation, folder.manifest.spec.conversation_ids, where=f"in {folder.run_id}")


def conclude(services: Services, outcome: Outcome, *, as_json: bool) -> None:
    """Say what came of it: on stdout the result, on stderr what can be done next. Ends the command."""
    from workbench.commands.run_prompts import made_with
    from workbench.commands.runs import indexed_run, run_facts

    row = indexed_run(services, outcome.run_id)
    if as_json:
        used = made_with(services, [row.run_id])[row.run_id]
        show_json(run_facts(row, used) | {"ended": outcome.ended, "seconds": outcome.seconds})
    else:
        show(_summary(outcome))
    if outcome.ended == "unanswered" and outcome.reason is not None:
        say(_out_of_reach(services.settings, outcome.reason, row.variant.removeprefix("llm:")))
        raise typer.Exit(NOT_WORKING)
    if outcome.ended != "complete":
        say(_how_to_go_on("Stopped at a limit" if outcome.ended == "limit" else "Stopped"))
        raise typer.Exit(FAILED if outcome.ended == "limit" else INTERRUPTED)
    if problem := model_problem(services, row):
        say(problem)
        raise typer.Exit(FAILED)
    if row.variant == "recorded" and row.fallbacks:
        turns = count(row.fallbacks, "turn")
        say(f"{turns} fell back: there is no recording of them with these prompts; `--variant llm` asks a model")
    say(f"Next: qbs runs show {outcome.run_id}\n{in_the_app(row.dataset)}")


def _out_of_reach(settings: Settings, reason: FallbackReason, model: str) -> str:
    """Why a replay stopped whose models could not be reached, and the command that goes on."""
    from engine.model.analysis import FallbackReason
    from workbench.health import advice_for

    advice = advice_for(reason, model, settings)
    if reason is FallbackReason.DEADLINE:
        seconds = duration(settings.deadline_seconds)
        advice = f"no turn was answered within {seconds}: give more with --deadline, or take a quicker model"
    return f"{_how_to_go_on(f'Stopped: no model answered ({reason}). {advice[0].upper()}{advice[1:]}')}"


def model_problem(services: Services, row: RunRow) -> str | None:
    """Why a run in which models were to answer has not one answer of theirs, and what to do; None if it has."""
    from collections import Counter

    from engine.model.analysis import FallbackReason
    from workbench.health import advice_for

    turns = services.run_index().turns(row.run_id) if row.variant.startswith("llm:") and row.fallbacks else ()
    calls = [(turn.extraction_source, turn.extraction_reason) for turn in turns]
    calls += [(turn.question_source, turn.question_reason) for turn in turns]
    calls += [(turn.expansion_source, turn.expansion_reason) for turn in turns]
    reasons = Counter(reason for _, reason in calls if reason)
    if not reasons or any(source in ("llm", "recorded") for source, _ in calls):
        return None
    reason = min(reasons, key=lambda name: (name == FallbackReason.CIRCUIT_OPEN, -reasons[name]))  # what opened it
    advice = advice_for(FallbackReason(reason), row.reasoning_model or "", services.settings)
    return f"Not one answer came from the model ({reason}): {advice}. Then:\n  {this_command('--again')}"


def _summary(outcome: Outcome) -> str:
    progress = outcome.progress
    facts = [f"{progress.done:,} of {count(progress.total, 'turn')}", cost(progress.cost_usd)]
    facts += [f"{count(progress.fallbacks, 'turn')} fell back on the rules"] if progress.fallbacks else []
    facts += [f"{count(progress.failures, 'turn')} failed"] if progress.failures else []
    if outcome.seconds is None:
        how = "was complete already; --again asks anew"
    else:
        how = f"{'complete' if outcome.ended == 'complete' else 'not complete'}, after {duration(outcome.seconds)}"
    return f"{outcome.run_id}: {how}\n  {', '.join(facts)}"


def _how_to_go_on(what_happened: str) -> str:
    return f"{what_happened}. What was answered is kept; the same command goes on:\n  {this_command()}"
