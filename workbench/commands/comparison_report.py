"""Comparisons in words and figures for a terminal: scoreboard, turns that moved most, ledger, gates, repeats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from evals.compare import Comparison, Row
from evals.gates import Checked, Outcome
from evals.lift import Disagreement, Ledger, Lift
from evals.metrics.judged import View
from evals.metrics.metric import Metric, Unit
from evals.records import Estimate
from evals.repeats import Variation
from evals.report import figures
from evals.report.verdicts import headline, is_measured
from evals.turn_changes import TurnChange
from workbench.text import count, table

VIEWS = {
    View.MODEL: "what each variant answered itself, fallbacks left out",
    View.ALL: "every answer, fallbacks included: what the seller saw",
}
_OUTCOMES = {Outcome.PASSED: "pass", Outcome.FAILED: "FAIL", Outcome.NOT_ENOUGH_DATA: "not enough data"}


def comparison_text(comparison: Comparison, *, details: bool) -> str:
    """The scoreboard of two runs. Details are shown if asked for, or if nothing else was compared."""
    rows = [row for row in comparison.rows if is_measured(row)]
    shown = [row for row in rows if details or not row.metric.detail] or rows
    head = [
        f"B {comparison.second}",
        f"against A {comparison.first}",
        f"{VIEWS[comparison.view]}; {_common(comparison)}",
        headline(comparison, "A", "B").quality if shown else "Nothing could be measured in either run.",
    ]
    if comparison.together > 1:
        head.append(f"Verdicts and adjusted p are those of {comparison.together} comparisons together (Holm over all).")
    missing = [row.metric.name for row in comparison.rows if not is_measured(row) and not row.metric.detail]
    if missing and shown:
        head.append(f"Not measured, for want of turns that count in both: {', '.join(missing)}.")
    return "\n".join([*head, "", _scoreboard(shown)] if shown else head)


def changes_text(metric: Metric, changes: Sequence[TurnChange], most: int) -> str:
    """The turns that lost most in this metric, the worst first; what each does for the metric of the run."""
    worst = [change for change in reversed(changes) if change.gain < 0][:most]
    title = f"Worst turns by {metric.name} ({count(len(changes), 'turn')} counted differently)"
    if not worst:
        return f"{title}\n  none got worse"
    cells = [
        [
            f"{change.conversation_id}:{change.turn}",
            figures.difference(metric.gain(change.gain), metric.unit),
            figures.value(change.first, metric.unit),
            figures.value(change.second, metric.unit),
        ]
        for change in worst
    ]
    return f"{title}\n{table(cells, ['  TURN', 'DOES TO B', 'A', 'B'], right=[1, 2, 3])}"


def ledger_text(found: Ledger, gained: Lift, most: int) -> str:
    """The model (B) against the rules (A): what it gains and costs, who was right where they differ, its fallbacks."""
    metric = gained.metric
    lines = [f"Ledger by {metric.name}: B as the model, A as the rules", *_price(gained)]
    rights = Counter(item.outcome for item in found.disagreements)
    told = "; ".join(f"{outcome} {number:,}" for outcome, number in rights.most_common())
    lines.append(f"  turns that differ  {len(found.disagreements):,}{f': {told}' if told else ''}")
    lines += _apart(found.disagreements, most)
    reasons = Counter(note.reason.value for note in found.fallbacks)
    counted = ", ".join(f"{reason} {number:,}" for reason, number in reasons.most_common())
    lines.append(f"  fallbacks of B     {len(found.fallbacks):,}{f': {counted}' if counted else ''}")
    lines += [
        f"    {note.conversation_id}:{note.turn}  {note.answer}  {note.reason}" for note in found.fallbacks[:most]
    ]
    if len(found.fallbacks) > most:
        lines.append(f"    and {len(found.fallbacks) - most:,} more; --json has them all")
    return "\n".join(lines)


def gates_text(checked: Sequence[Checked]) -> str:
    cells = [[f"  {_OUTCOMES[each.outcome]}{_stays(each)}", each.gate.title, each.reason] for each in checked]
    return "Gates\n" + table(cells, ["  OUTCOME", "FAILS IF", "BECAUSE"])


def estimates_text(metrics: Iterable[Metric], found: Mapping[str, Estimate], *, details: bool) -> str:
    """One run's own figures."""
    cells = [
        [f"  {metric.name}", figures.value(own.value, metric.unit), _around(own, metric), f"{own.n:,}"]
        for metric in metrics
        if (own := found[metric.name]).value is not None and (details or not metric.detail)
    ]
    return table(cells, ["  METRIC", "VALUE", "95 %", "N"], right=[1, 3])


def variations_text(found: Sequence[Variation]) -> str:
    """How much of the uncertainty is due to the answers, and how much to the conversations."""
    cells = [
        [
            f"  {own.metric.name}",
            str(own.samples),
            figures.size(own.answers, own.metric.unit),
            figures.size(own.conversations, own.metric.unit),
        ]
        for own in found
        if own.answers is not None and not own.metric.detail
    ]
    title = "Where the uncertainty comes from, as standard deviations: asking again, and other conversations"
    return f"{title}\n{table(cells, ['  METRIC', 'SAMPLES', 'ANSWERS', 'CONVERSATIONS'], right=[1, 2, 3])}"


def _common(comparison: Comparison) -> str:
    both = f"{count(comparison.turns, 'turn')} of {count(comparison.conversations, 'conversation')} in both"
    first, second = comparison.left_out
    alone = f", {first:,} only in A and {second:,} only in B left out" if first or second else ""
    return both + alone


def _scoreboard(rows: Sequence[Row]) -> str:
    header = ["METRIC", "A", "B", "B - A", "95 %", "P", "ADJUSTED", "DETECTABLE", "VERDICT"]
    return table([_cells(row) for row in rows], header, right=[1, 2, 3, 5, 6, 7])


def _cells(row: Row) -> list[str]:
    unit, found = row.metric.unit, row.difference
    return [
        row.metric.name,
        figures.value(row.first.value, unit),
        figures.value(row.second.value, unit),
        figures.difference(found.value, unit),
        figures.difference_interval(found.low, found.high, unit),
        figures.p_value(row.p),
        figures.p_value(row.holm),
        figures.size(row.detectable, unit),
        row.verdict.value,
    ]


def _around(own: Estimate, metric: Metric) -> str:
    return figures.interval(own.low, own.high, metric.unit)


def _price(gained: Lift) -> Iterator[str]:
    unit = gained.metric.unit
    yield f"  gain               {_estimate(gained.gain, unit)}"
    yield f"  extra cost         {figures.difference(gained.dollars.value, 'USD')} a conversation"
    yield f"  extra wait         {figures.difference(gained.seconds.value, 's')} a turn"
    for name, own in (("gain per dollar", gained.per_dollar), ("gain per second", gained.per_second)):
        told = "not defined: no extra cost is sure" if own.value is None else _estimate(own, unit)
        yield f"  {name:<18} {told}"


def _estimate(own: Estimate, unit: Unit) -> str:
    return f"{figures.difference(own.value, unit)} {figures.difference_interval(own.low, own.high, unit)}".rstrip()


def _apart(found: Sequence[Disagreement], most: int) -> Iterator[str]:
    """The first turns that only one of both got right."""
    for outcome in ("only the model right", "only the rules right"):
        own = [item.change for item in found if item.outcome == outcome]
        if own:
            turns = ", ".join(f"{change.conversation_id}:{change.turn}" for change in own[:most])
            yield f"    {outcome}: {turns}{' ...' if len(own) > most else ''}"


def _stays(checked: Checked) -> str:
    return " (fails)" if checked.failed and checked.outcome is Outcome.NOT_ENOUGH_DATA else ""
