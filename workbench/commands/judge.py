"""`qbs judge`: have a model rate the questions of a run, and see what its ratings are worth beside people's."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.commands import options
from workbench.commands.exits import FAILED, INTERRUPTED, NOT_WORKING, say, this_command
from workbench.commands.interruptions import Interruptions, gentle_stop, interruptions
from workbench.commands.output import AsJson, show, show_json
from workbench.services import Services, build_services
from workbench.settings import load_settings
from workbench.text import cost, count, duration, table

if TYPE_CHECKING:
    from evals.evaluation import Evaluation
    from evals.judge_agreement import JudgeAgreement
    from evals.judging import JudgingProgress
    from workbench.judges import JudgedFigures, Judging

EPILOG = """\
\b
Examples:
  qbs judge latest                      by the model of QBS_REASONING_MODEL
  qbs judge 1a2b --model openai/gpt-4.1 --limit-cost 2.50
  qbs judge 1a2b --model openai/gpt-4.1 --repeats 5
  qbs judge 1a2b --sheet 40 > ratings.jsonl
                                        40 of its questions for people to rate

\b
The judge sees the conversation so far and the question, never whose it is.
Its figures say little before it is known how far it agrees with people: rate
some of the questions yourselves. docs/comparing.md, "Judged by a model".

\b
The same command again asks only what is missing. Ctrl-C stops cleanly (130),
a limit ends with 1, a model that cannot be reached with 4.
"""


def register(cli: typer.Typer) -> None:
    cli.command("judge", epilog=EPILOG)(judge)


def judge(
    run: options.Run,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="The model that judges (QBS_REASONING_MODEL).")
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, max=100, metavar="K", help="Ask about each question so often.")] = 3,
    sheet: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Ask nobody; print N questions for people to rate.")
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option(min=1, max=512, metavar="N", help="Questions at once (QBS_CONCURRENCY).")
    ] = None,
    deadline: Annotated[
        float | None, typer.Option(min=0.001, metavar="S", help="Seconds for a judgement; 30 if not given.")
    ] = None,
    limit_cost: options.LimitCost = None,
    limit_calls: options.LimitCalls = None,
    limit_tokens: options.LimitTokens = None,
    limit_time: options.LimitTime = None,
    as_json: AsJson = False,
) -> None:
    """Have a model judge how natural a run's questions are."""
    from evals.rubric import SECONDS
    from workbench.commands.models import named_or_configured
    from workbench.evaluations import evaluations
    from workbench.judges import figures_of

    settings = options.with_options(
        load_settings(),
        concurrency=concurrency,
        max_cost_usd=limit_cost,
        max_calls=limit_calls,
        max_tokens=limit_tokens,
        max_seconds=limit_time,
    )
    services = build_services(settings)
    (evaluation,) = evaluations(services, [run])
    if sheet is not None:
        _print_sheet(evaluation, sheet)
        return
    wanted = _Wanted(evaluation, named_or_configured(model, settings)[0], repeats, deadline or SECONDS)
    judging = _perform(services, wanted)
    figures = figures_of(services, evaluation, judging.judge)
    if as_json:
        show_json(_facts(evaluation, judging, repeats, figures))
    else:
        show(_summary(evaluation, judging, repeats, figures))
    _conclude(services, evaluation, judging)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A run, who is to judge it, how often, and the seconds that one judgement may take."""

    evaluation: Evaluation
    model: str
    repeats: int
    deadline_s: float


def _perform(services: Services, wanted: _Wanted) -> Judging:
    """Ask what is missing, showing how far it is. Ctrl-C stops it cleanly."""
    import asyncio

    from workbench.commands.progress import shown_progress
    from workbench.judges import is_judged, judge_named

    if not is_judged(wanted.evaluation, judge_named(wanted.model), wanted.repeats):
        say("Loading the model libraries ...")
    title = f"{wanted.evaluation.run_id} judged by {wanted.model}"
    with interruptions(_how_to_go_on("Stopped at once")) as interrupted, shown_progress(title, _how_far) as note:
        return asyncio.run(_until_stopped(services, wanted, note, interrupted))


async def _until_stopped(
    services: Services, wanted: _Wanted, note: Callable[[JudgingProgress], None], interrupted: Interruptions
) -> Judging:
    from workbench.judges import have_judged

    with gentle_stop(interrupted, "judgements") as stop:
        return await have_judged(
            services,
            wanted.evaluation,
            wanted.model,
            wanted.repeats,
            deadline_s=wanted.deadline_s,
            on_progress=note,
            stop=stop,
        )


def _how_far(progress: JudgingProgress) -> str:
    """`120/360 judgements, 4.2/s, cost $0.0132, 2 failures, 57 s left`."""
    from workbench.commands.progress import rate

    failures = sum(progress.failures.values())
    parts = [
        f"{progress.done:,}/{count(progress.total, 'judgement')}",
        rate(progress.per_second),
        cost(progress.cost_usd),
        count(failures, "failure") if failures else "",
        "" if progress.seconds_left is None else f"{duration(progress.seconds_left)} left",
    ]
    return ", ".join(part for part in parts if part)


def _summary(evaluation: Evaluation, judging: Judging, repeats: int, figures: JudgedFigures) -> str:
    progress, by = judging.progress, judging.judge
    complete = "complete" if progress.ended == "complete" else "not complete"
    how = "was complete already" if judging.seconds is None else f"{complete}, after {duration(judging.seconds)}"
    facts = [
        f"{progress.done:,} of {count(progress.total, 'judgement')}",
        f"{count(progress.questions, 'question')}, each asked {count(repeats, 'time')}",
        cost(progress.cost_usd),
    ]
    failed = ", ".join(f"{reason} {number:,}" for reason, number in progress.failures.items())
    lines = [f"{evaluation.run_id} judged by {by.model}, {by.rubric}: {how}", f"  {'; '.join(facts)}"]
    lines += [f"  asked in vain: {failed}"] if failed else []
    lines += ["  the judge is also a model that answered in this run, and models tend to like their own words"] * (
        by.model in _answering(evaluation)
    )
    return "\n".join([*lines, "", _table(figures)])


def _table(figures: JudgedFigures) -> str:
    """A row for each scale: what the judge thinks, and what that is worth."""
    from evals.judge_agreement import kappa_words
    from evals.judgements import Scale
    from evals.report.figures import estimate

    rows = []
    for scale in Scale:
        mean, good = figures.of(scale).values()
        found = figures.agreements[scale]
        rows.append(
            [
                f"  {scale.replace('_', ' ')}",
                estimate(mean, "rating"),
                estimate(good, "share"),
                f"{mean.n:,}",
                kappa_words(found.people) if found.known else "agreement unknown",
                kappa_words(found.repeats),
                kappa_words(found.among_people),
            ]
        )
    header = ["  SCALE", "MEAN, 1 TO 4", "3 OR MORE", "N", "AGREES WITH PEOPLE", "WITH ITSELF", "PEOPLE AMONG THEM"]
    return table(rows, header, right=[3])


def _facts(evaluation: Evaluation, judging: Judging, repeats: int, figures: JudgedFigures) -> dict[str, Any]:
    progress = judging.progress
    return {
        "run_id": evaluation.run_id,
        "judge": judging.judge.model_dump(),
        "ended": _ended(judging),
        "seconds": judging.seconds,
        "questions": progress.questions,
        "repeats": repeats,
        "judgements": progress.done,
        "judgements_expected": progress.total,
        "failures": {reason.value: number for reason, number in progress.failures.items()},
        "cost_usd": progress.cost_usd,
        "metrics": {name: own.model_dump() for name, own in figures.figures.items()},
        "agreement": {scale.value: _agreement_facts(own) for scale, own in figures.agreements.items()},
    }


def _agreement_facts(found: JudgeAgreement) -> dict[str, Any]:
    names = ("people", "repeats", "among_people")
    return {"known": found.known} | {name: getattr(found, name).model_dump() for name in names}


def _ended(judging: Judging) -> str:
    """As the other commands say it: `complete`, `person`, `limit`, `unanswered` or `failed`."""
    ended = judging.progress.ended or "failed"
    return ("limit" if judging.out_of_time else "person") if ended == "stopped" else ended


def _conclude(services: Services, evaluation: Evaluation, judging: Judging) -> None:
    """Say on stderr what can be done next. Ends the command unless everything was judged."""
    ended, progress = _ended(judging), judging.progress
    if ended == "complete":
        say(f"Next: qbs compare OTHER_RUN {evaluation.run_id} --metric judged")
        return
    if ended == "unanswered" and progress.reason is not None:
        from workbench.health import advice_for

        advice = advice_for(progress.reason, judging.judge.model, services.settings)
        advice = f"{advice[0].upper()}{advice[1:]}"
        say(_how_to_go_on(f"Stopped: nothing can be had from the judge ({progress.reason}). {advice}"))
        raise typer.Exit(NOT_WORKING)
    said = {"limit": "Stopped at a limit", "person": "Stopped", "failed": "Some questions could not be judged"}
    say(_how_to_go_on(said[ended]))
    raise typer.Exit(INTERRUPTED if ended == "person" else FAILED)


def _answering(evaluation: Evaluation) -> tuple[str | None, ...]:
    variant = evaluation.folder.manifest.spec.variant
    return (variant.reasoning_model, variant.fast_model)


def _print_sheet(evaluation: Evaluation, most: int) -> None:
    """Lines of `ratings.jsonl` to fill in, in the order in which a judge is asked: a fair part of the run."""
    from workbench.judges import questions

    for question in questions(evaluation)[:most]:
        line = {"conversation_id": question.conversation_id, "turn": question.turn, "question": question.text}
        show(json.dumps(line | {"rater": "", "naturalness": None, "value_first": None}, ensure_ascii=False))
    rubric, file = "evals/prompts/judgement/v1.md", f"{evaluation.dataset.folder.name}/ratings.jsonl"
    say(f"Fill in rater and ratings by {rubric}, and add the lines to {file}; `qbs conversations show ID` reads on.")


def _how_to_go_on(what_happened: str) -> str:
    return f"{what_happened}. What was judged is kept; the same command goes on:\n  {this_command()}"
