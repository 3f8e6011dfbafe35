"""`qbs outcomes what-if`: the reply rate that asking otherwise would have had, or why nobody can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.commands.exits import FAILED
from workbench.commands.moments import past
from workbench.commands.output import AsJson, paragraph, show, show_json
from workbench.services import build_services
from workbench.text import count, one_of

if TYPE_CHECKING:
    from evals.learning.off_policy import LeftOut, Overlap, WhatIf
    from evals.records import Estimate

EPILOG = """\
\b
Examples:
  qbs outcomes what-if --policy always:impact
  qbs outcomes what-if --policy always:impact --tenant simulated
  qbs outcomes what-if --policy prefer:confirmation+label
  qbs outcomes what-if --policy table:choices.csv
  qbs outcomes what-if --policy variant:rules --by question_type

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
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Only what was recommended from then on.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="TIME", help="As known then; as the copy is if not given.")
    ] = None,
    tenant: Annotated[
        str | None, typer.Option("--tenant", metavar="NAME", help="Whose: a name or a UUID; QBS_TENANT if not given.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Estimate what asking otherwise would have done."""
    import asyncio

    from evals.learning.facts.filters import Filters
    from evals.learning.off_policy.log import PARTS
    from workbench.what_ifs import WhatIfs

    if unknown := [part for part in by or () if part not in PARTS]:
        raise typer.BadParameter(f"{unknown[0]} is none of {one_of([*PARTS])}", param_hint="--by")
    filters = Filters(since=past(since, "--since", "nothing was recommended then"))
    known = past(as_of, "--as-of", "what is open now may still be answered")
    services = build_services()
    asked = WhatIfs(services, tenant or services.settings.tenant).ask(
        policy, by=tuple(by or ()), filters=filters, as_of=known
    )
    found = asyncio.run(asked)
    if as_json:
        show_json(what_if_facts(found))
    else:
        show(what_if_text(found))
    if found.refusal is not None:
        raise typer.Exit(FAILED)


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
