"""`qbs outcomes what-if`: the reply rate that asking otherwise would have had, or why nobody can tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.commands import options
from workbench.commands.exits import FAILED, INTERRUPTED, NOT_WORKING, say, this_command
from workbench.commands.interruptions import Interruptions, gentle_stop, interruptions
from workbench.commands.moments import past
from workbench.commands.output import AsJson, paragraph, show, show_json
from workbench.services import Services, build_services
from workbench.settings import load_settings
from workbench.text import cost, count, one_of

if TYPE_CHECKING:
    from evals.learning.facts.filters import Filters
    from evals.learning.off_policy import LeftOut, Overlap, WhatIf
    from evals.records import Estimate
    from workbench.asking_anew import AskingProgress, StoppedError
    from workbench.what_ifs import Planned

EPILOG = """\
\b
Examples:
  qbs outcomes what-if --policy always:impact
  qbs outcomes what-if --policy always:impact --tenant simulated
  qbs outcomes what-if --policy prefer:confirmation+label
  qbs outcomes what-if --policy table:choices.csv
  qbs outcomes what-if --policy variant:rules --by question_type
  qbs outcomes what-if --policy variant:llm --limit-cost 2.50

\b
Policies:
  always:WORDS    this at every turn: a question type, a target, a delivery,
                  or several of these with + between
  prefer:WORDS    this wherever it could have been asked, else what was asked
  table:FILE.csv  by segment: the first line that fits a turn
  run:RUN         what a run recommended at the same turns
  variant:NAME    what rules, or llm, recommend there when asked now

\b
Answered from questions that were chosen at random (QBS_EXPLORATION). Ends
with 1 where the outcomes cannot tell. docs/what-if.md explains every figure.

\b
A model is asked at every turn with an outcome, three calls each; how many
that are is said first. A limit, or Ctrl-C, stops that with 1, or 130: what
was answered is kept, and the same command goes on.
"""

_LEFT_OUT = {
    "pending": "still pending",
    "superseded": "superseded by a newer question",
    "not_sent": "never sent",
    "early": "in windows that have not all been looked at",
    "no_propensity": "without a record of how probable the question was",
    "unlike": "whose probabilities contradict each other",
    "unmatched": "at turns of which the policy says nothing",
}


def what_if(
    policy: Annotated[str, typer.Option("--policy", metavar="POLICY", help="How to have asked instead; see below.")],
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by", metavar="PART", help="Compare a run or variant by question_type, target, delivery; repeatable."
        ),
    ] = None,
    since: options.RecommendedSince = None,
    as_of: options.AsOf = None,
    tenant: options.Tenant = None,
    concurrency: options.Concurrency = None,
    deadline: options.Deadline = None,
    limit_cost: options.LimitCost = None,
    limit_calls: options.LimitCalls = None,
    limit_tokens: options.LimitTokens = None,
    limit_time: options.LimitTime = None,
    as_json: AsJson = False,
) -> None:
    """Estimate what asking otherwise would have done."""
    from evals.learning.facts.filters import Filters
    from evals.learning.off_policy.log import PARTS

    if unknown := [part for part in by or () if part not in PARTS]:
        raise typer.BadParameter(f"{unknown[0]} is none of {one_of([*PARTS])}", param_hint="--by")
    filters = Filters(since=past(since, "--since", "nothing was recommended then"))
    known = past(as_of, "--as-of", "what is open now may still be answered")
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
    asked = _Asked(services, tenant or settings.tenant, policy, tuple(by or ()), filters, known)
    found = _answered(asked)
    if as_json:
        show_json(what_if_facts(found))
    else:
        show(what_if_text(found))
    if found.refusal is not None:
        raise typer.Exit(FAILED)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question about a tenant's outcomes."""

    services: Services
    tenant: str
    policy: str
    by: tuple[str, ...]
    filters: Filters
    as_of: datetime | None


def _answered(asked: _Asked) -> WhatIf:
    """The answer. A variant is asked with its progress shown, and Ctrl-C stops that cleanly."""
    import asyncio

    from workbench.asking_anew import StoppedError
    from workbench.commands.progress import shown_progress

    form, _, name = asked.policy.partition(":")
    if form != "variant":
        return asyncio.run(_until_stopped(asked, None, None))
    words = f"the turns with an outcome by {name}"
    try:
        with interruptions(_how_to_go_on("Stopped at once")) as interrupted, shown_progress(words, _how_far) as note:
            return asyncio.run(_until_stopped(asked, note, interrupted))
    except StoppedError as error:
        raise _stopped(asked.services, error, name.removeprefix("llm:")) from None


async def _until_stopped(
    asked: _Asked, note: Callable[[AskingProgress], None] | None, interrupted: Interruptions | None
) -> WhatIf:
    """The first Ctrl-C (or SIGTERM) lets the turns under way end, the second does not."""
    from workbench.what_ifs import WhatIfs

    what_ifs = WhatIfs(asked.services, asked.tenant, _say_plan, note)
    ask = partial(what_ifs.ask, asked.policy, by=asked.by, filters=asked.filters, as_of=asked.as_of)
    if interrupted is None:
        return await ask()
    with gentle_stop(interrupted, "turns") as stop:
        return await ask(stop=stop)


def _say_plan(planned: Planned) -> None:
    """What it will take, before anything is asked."""
    if planned.models:
        say(
            f"{one_of(planned.models, word='and')}: {count(planned.calls, 'call')} at {count(planned.turns, 'turn')}, "
            "fewer where answers are recorded, more where one has to be repeated. "
            "--limit-cost, --limit-calls, --limit-tokens and --limit-time stop it."
        )


def _how_far(progress: AskingProgress) -> str:
    """`120/214 turns, 360 calls, cost $0.0132`."""
    turns = f"{progress.done:,}/{count(progress.total, 'turn')}"
    return f"{turns}, {count(progress.calls, 'call')}, {cost(progress.cost_usd)}"


def _stopped(services: Services, error: StoppedError, model: str) -> typer.Exit:
    """Say why there is no answer, and the command that goes on."""
    from workbench.health import advice_for

    told = f"after {_how_far(error.progress)}"
    if error.ended == "unanswered" and error.reason is not None:
        advice = advice_for(error.reason, model, services.settings)
        say(_how_to_go_on(f"Stopped {told}: no model answered ({error.reason}). {advice[0].upper()}{advice[1:]}"))
        return typer.Exit(NOT_WORKING)
    say(_how_to_go_on(f"Stopped at a limit, {told}" if error.ended == "limit" else f"Stopped {told}"))
    return typer.Exit(FAILED if error.ended == "limit" else INTERRUPTED)


def _how_to_go_on(what_happened: str) -> str:
    return f"{what_happened}. What was answered is kept; the same command goes on:\n  {this_command()}"


def what_if_facts(found: WhatIf) -> dict[str, Any]:
    """The answer for programs: of `estimates` and `refusal`, one is null."""
    from dataclasses import asdict

    estimates = None
    if found.estimates is not None:
        estimates = {
            name: getattr(found.estimates, name).model_dump(mode="json")
            for name in found.estimates.__dataclass_fields__
        }
    return {
        "policy": found.policy,
        "simulated": found.simulated,
        "outcomes": found.outcomes,
        "conversations": found.conversations,
        "estimates": estimates,
        "refusal": None if found.refusal is None else asdict(found.refusal),
        "overlap": None if found.overlap is None else asdict(found.overlap),
        "left_out": asdict(found.left_out),
    }


def what_if_text(found: WhatIf) -> str:
    """The answer for people."""
    parts = [f"What if: {found.policy}." + (" The outcomes are simulated." if found.simulated else "")]
    if found.refusal is not None:
        parts.append(paragraph(f"The outcomes cannot tell: {found.refusal.why}.", 0))
        parts.append(paragraph(found.refusal.remedy, 0))
    elif found.estimates is not None:
        own = found.estimates
        lines = (
            ("it would have been", own.doubly_robust),
            ("as it was asked", own.logged),
            ("difference", own.difference),
            ("self-normalised weights", own.self_normalised),
            ("plain weights", own.inverse_propensity),
        )
        parts.append("Reply rate, with 95 % intervals:\n" + "\n".join(_line(*line) for line in lines))
    if found.overlap is not None:
        parts.append(_overlap_text(found.overlap))
    parts.append(_counted(found.outcomes, found.conversations, found.left_out))
    return "\n\n".join(parts)


def _line(name: str, estimate: Estimate) -> str:
    return f"  {name:<24} {_figure(estimate)}"


def _figure(estimate: Estimate) -> str:
    if estimate.value is None:
        return "no data"
    shown = f"{100 * estimate.value:6.1f} %"
    if estimate.low is None or estimate.high is None:
        return shown
    return f"{shown}   {100 * estimate.low:.1f} to {100 * estimate.high:.1f} %"


def _overlap_text(overlap: Overlap) -> str:
    outside = "not known" if overlap.outside is None else f"{100 * overlap.outside:.0f} %"
    sizes = f"the largest weight is {overlap.max_weight:.1f}, the mean {overlap.mean_weight:.2f}"
    lines = [
        "Overlap of what was asked with what it would have asked:",
        f"  {overlap.outcomes:,} outcomes say as much as {overlap.effective:,.0f} unweighted ones",
        f"  {overlap.used:,} of them were asked as it would have; {sizes}",
        f"  outside what could have been asked: {outside}",
    ]
    most = max((each.count for each in overlap.weights), default=0)
    lines += [
        f"  {_bin(each.low, each.high):>12} {each.count:>9,} {_bar(each.count, most)}" for each in overlap.weights
    ]
    return "\n".join(line.rstrip() for line in lines)


def _bin(low: float, high: float | None) -> str:
    if high == 0:
        return "weight 0"
    return f"over {low:g}" if high is None else f"to {high:g}"


def _bar(count: int, most: int) -> str:
    return "█" * round(30 * count / most) if most else ""


def _counted(outcomes: int, conversations: int, left_out: LeftOut) -> str:
    told = f"From {count(outcomes, 'resolved outcome')} in {count(conversations, 'conversation')}."
    missing = [f"{getattr(left_out, name):,} {words}" for name, words in _LEFT_OUT.items() if getattr(left_out, name)]
    return paragraph(f"{told} Left out: {', '.join(missing)}." if missing else told, 0)
