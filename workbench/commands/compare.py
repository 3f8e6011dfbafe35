"""`qbs compare`: is one run better than another, by how much, where, and could it be luck?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from workbench.commands.judging import (
    Details,
    FailIf,
    Junit,
    Metrics,
    TooLittle,
    Views,
    chosen_metrics,
    end,
    gate_facts,
    gates_of,
    metric_by,
    part_of,
    tell_notes,
    write_files,
)
from workbench.commands.options import Split
from workbench.commands.output import AsJson, show, show_json
from workbench.services import build_services

if TYPE_CHECKING:
    from evals.evaluation import Evaluation
    from evals.gates import Checked
    from evals.metrics.metric import Metric
    from evals.slices import Slice
    from workbench.evaluations import Pair

EPILOG = """\
\b
Examples:
  qbs compare rules recorded            A is the first run, B each further one
  qbs compare 1a2b3c4d latest --metric extraction --details
  qbs compare 1a2b 3c4d --persona c_suite --by question.type
  qbs compare rules recorded --ledger   what the model gains, and its price
  qbs compare 1a2b 3c4d --fail-if "extraction.f1 < -0.02" --junit gates.xml

\b
Conditions of --fail-if:
  extraction.f1 < -2 %              the difference B - A, in the metric's unit
  extraction.f1.high < 0            its 95 % interval lies below 0
  operations.cost > 0.01            a conversation costs over a cent more
  B.extraction.precision.low < 0.5  a side alone, a bound of its interval
  question.type is worse            a verdict: better, worse, tied,
                                    not enough data

\b
Exit code 1 if one holds. docs/comparing.md explains every figure.
"""


def register(cli: typer.Typer) -> None:
    cli.command("compare", epilog=EPILOG)(compare)


def compare(
    runs: Annotated[list[str], typer.Argument(metavar="A B [C ...]", help="Ids, unique parts, variants, or `latest`.")],
    metric: Metrics = None,
    view: Views = "model",
    persona: Annotated[
        list[str] | None, typer.Option(metavar="PERSONA", help="Only with ic, manager or c_suite; may be repeated.")
    ] = None,
    channel: Annotated[
        list[str] | None, typer.Option(metavar="CHANNEL", help="Only by email, chat or call; may be repeated.")
    ] = None,
    stage: Annotated[
        list[str] | None, typer.Option(metavar="STAGE", help="Only turns at this stage; may be repeated.")
    ] = None,
    engagement: Annotated[
        list[str] | None, typer.Option(metavar="SIGNAL", help="Only turns labelled so; may be repeated.")
    ] = None,
    split: Split = None,
    details: Details = False,
    by: Annotated[str | None, typer.Option(metavar="METRIC", help="Of the worst turns and the ledger.")] = None,
    worst: Annotated[int, typer.Option(min=0, metavar="N", help="List so many of the worst turns.")] = 5,
    ledger: Annotated[
        bool, typer.Option("--ledger", help="A as the rules, B as a model: gain, price, fallbacks.")
    ] = False,
    fail_if: FailIf = None,
    fail_on_not_enough_data: TooLittle = False,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write the rows as CSV.")] = None,
    parquet: Annotated[Path | None, typer.Option("--parquet", metavar="FILE", help="Write them as Parquet.")] = None,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write a report of one page.")] = None,
    junit: Junit = None,
    as_json: AsJson = False,
) -> None:
    """Compare runs on the turns that they have in common."""
    from evals.gates import check
    from evals.metrics import find_metric
    from workbench.evaluations import evaluations, unusable_in_gates

    if len(runs) < 2:
        raise typer.BadParameter("name at least two; `qbs runs list` shows them", param_hint="A B [C ...]")
    if html is not None and (len(runs) > 2 or view == "both"):
        raise typer.BadParameter("a report is about two runs in one view", param_hint="--html")
    part = part_of(persona, stage, channel, engagement, split)
    gates = gates_of(fail_if or [], fail_on_not_enough_data=fail_on_not_enough_data)
    metrics = chosen_metrics(metric or [], gates)
    turns_by = metric_by(by, metrics)
    services = build_services()
    judged = evaluations(services, runs)
    tell_notes(judged)
    pairs = tuple(pairs_of(judged, part, view, metrics))
    unusable = unusable_in_gates(judged, [find_metric(gate.condition.metric) for gate in gates])
    checked = {pair.title: check(gates, pair.comparison, unusable=unusable) for pair in pairs} if gates else {}
    write_files([pair.comparison for pair in pairs], checked, filter(None, (csv, parquet)), junit)
    if html is not None:
        from workbench.commands.html_report import write_html

        write_html(services, pairs[0], (judged[0], judged[1]), part, turns_by, html)
    if as_json:
        show_json({"comparisons": [pair_facts(pair, checked, turns_by, worst, ledger=ledger) for pair in pairs]})
    else:
        show("\n\n\n".join(pair_text(pair, checked, turns_by, worst, details=details, ledger=ledger) for pair in pairs))
    end([each for own in checked.values() for each in own])


def pairs_of(
    judged: Sequence[Evaluation], part: Slice, view: Literal["model", "all", "both"], metrics: Sequence[Metric]
) -> Iterator[Pair]:
    """Each further run against the first, in each view that is wanted, judged together within a view."""
    from evals.metrics.judged import View
    from workbench.evaluations import compared, judged_as_one

    first, *others = judged
    views = tuple(View) if view == "both" else (View(view),)
    by_view = [judged_as_one([compared(first, other, part, own, metrics) for other in others]) for own in views]
    return chain.from_iterable(zip(*by_view, strict=True))


def pair_text(
    pair: Pair, checked: dict[str, tuple[Checked, ...]], by: Metric, worst: int, *, details: bool, ledger: bool
) -> str:
    """One comparison for people."""
    from evals.compare import turn_changes
    from evals.lift import ledger as ledger_of
    from evals.lift import lift
    from workbench.commands.comparison_report import changes_text, comparison_text, gates_text, ledger_text

    parts = [comparison_text(pair.comparison, details=details)]
    if worst:
        parts.append(changes_text(by, turn_changes(pair.first, pair.second, by), worst))
    if ledger:
        found = ledger_of(pair.first, pair.second, by)
        parts.append(ledger_text(found, lift(pair.first, pair.second, by), max(worst, 1)))
    if pair.title in checked:
        parts.append(gates_text(checked[pair.title]))
    return "\n\n".join(parts)


def pair_facts(
    pair: Pair, checked: dict[str, tuple[Checked, ...]], by: Metric, worst: int, *, ledger: bool
) -> dict[str, Any]:
    """One comparison for programs; the worst turn comes first."""
    from evals.compare import turn_changes
    from evals.comparison_rows import facts

    changes = turn_changes(pair.first, pair.second, by)
    return facts(pair.comparison) | {
        "by": by.name,
        "worst_turns": [asdict(change) for change in reversed(changes) if change.gain < 0][:worst],
        "ledger": _ledger_facts(pair, by) if ledger else None,
        "gates": gate_facts(checked.get(pair.title, ())),
    }


def _ledger_facts(pair: Pair, by: Metric) -> dict[str, Any]:
    from evals.lift import ledger, lift

    found, gained = ledger(pair.first, pair.second, by), lift(pair.first, pair.second, by)
    figures = ("gain", "dollars", "seconds", "per_dollar", "per_second")
    return {
        **{name: getattr(gained, name).model_dump() for name in figures},
        "turns": [asdict(item.change) | {"outcome": item.outcome} for item in found.disagreements],
        "fallbacks": [asdict(note) for note in found.fallbacks],
    }
