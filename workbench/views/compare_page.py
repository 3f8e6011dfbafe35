"""What the Compare page shows: verdicts, scoreboard, forest plot, costs, and the turns behind them."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from streamlit.elements.lib.grid_container import GridContainer

from engine.errors import QBSError
from evals.compare import Comparison, judged_together
from evals.report import render
from evals.report.forest import Panel, not_drawn, panels
from evals.report.verdicts import headline
from evals.runs.rows import RunRow
from workbench.background import JobStatus
from workbench.comparing import Compared
from workbench.components import compare_costs as costs_drawn
from workbench.components import compare_overview, details, empty, export_menu
from workbench.components.compare_choosing import VIEWS
from workbench.presenters import compare_costs as costs
from workbench.presenters import compare_export as exports
from workbench.presenters import compare_report, compare_scoreboard
from workbench.presenters import compare_turns as turns
from workbench.presenters.table_files import Format
from workbench.text import count
from workbench.views import compare_place as place
from workbench.views import compare_reading, compare_turns, reading
from workbench.views.compare_choice import CompareChoice, choose
from workbench.views.compare_place import ComparePlace
from workbench.views.news import watch_runs

_SCOREBOARD, _TURNS = "scoreboard", "turns"
_EXPORT_PIXELS = 130
_BREAKDOWNS = "By dimension, by reason, by guardrail rule: in the scoreboard, and to look at the turns by."
_COLUMN_PIXELS = 330  # below this the columns of a row go below each other


def page() -> None:
    """Draw it."""
    try:
        _page()
    except QBSError as error:
        empty.problem(str(error))


def _page() -> None:
    drawn_from = reading.runs_stamp()
    goal = place.arrive()
    choice = choose(goal)
    if choice is not None:
        _compare(choice, goal)
    watch_runs(drawn_from)


def _compare(choice: CompareChoice, goal: ComparePlace | None) -> None:
    found = {row.run_id: _compared(choice, row) for row in choice.others}
    whole = place.with_breakdowns(goal)
    ready = _together({run: compared for run, compared in found.items() if compared is not None}, whole=whole)
    _verdicts(choice, ready)
    compared = ready.get(choice.shown.run_id)
    if compared is None:
        return
    rows = turns.choices(compared.comparison)
    compare_turns.offer_measure(rows, goal)
    _rests_on(choice, compared)
    _scores(choice, ready, compared)
    _costs(choice, compared)
    compare_turns.walk(choice, compared, _address(choice))


def _together(ready: Mapping[str, Compared], *, whole: bool) -> Mapping[str, Compared]:
    """With verdicts that hold for all of them together: who looks more often finds more by luck.

    `whole` adds the breakdowns of measures.
    """
    ready = {run: compared.with_breakdowns() for run, compared in ready.items()} if whole else ready
    judged = judged_together([compared.comparison for compared in ready.values()])
    return {run: own.judged_as(comparison) for (run, own), comparison in zip(ready.items(), judged, strict=True)}


def _compared(choice: CompareChoice, other: RunRow) -> Compared | None:
    """The comparison; None while it is being made, or where it cannot be, which is then said."""
    asked = compare_reading.wanted(choice.first, other, choice.view, choice.part)
    try:
        compared = compare_reading.compared(asked, choice.dataset)
    except QBSError as error:
        empty.problem(str(error))
        return None
    if compared is None:
        _wait(choice, other)
    return compared


def _wait(choice: CompareChoice, other: RunRow) -> None:
    """Begun at once; what stopped it before is said, and it takes a click to try again."""
    asked = compare_reading.wanted(choice.first, other, choice.view, choice.part)
    title = f"Comparing {choice.names[other.run_id]} with {choice.names[choice.first.run_id]}"
    job = compare_reading.job(asked)
    if job is None:
        compare_reading.begin(asked, choice.dataset, title)
        st.rerun()
    if not job.ended:
        st.caption(f"{count(asked.turns, 'turn')} are judged once, and that is kept. You may leave meanwhile.")
    elif compare_reading.comparisons().found(asked) is None:
        (empty.problem if job.status is JobStatus.FAILED else st.caption)(job.outcome)
        if st.button("Compare", type="primary", key=f"again {asked.key}"):
            compare_reading.begin(asked, choice.dataset, title)
            st.rerun()


def _verdicts(choice: CompareChoice, ready: Mapping[str, Compared]) -> None:
    first = choice.names[choice.first.run_id]
    for run, compared in ready.items():
        with st.container(border=True, key=f"verdict {run}"):
            found = headline(compared.comparison, first, choice.names[run])
            compare_overview.verdict(found, compared.comparison)


def _rests_on(choice: CompareChoice, compared: Compared) -> None:
    """The data of every figure below, and what has to be known about it."""
    comparison = compared.comparison
    left_out = sum(comparison.left_out)
    common = f"{count(comparison.turns, 'turn')} of {count(comparison.conversations, 'conversation')} in both runs"
    facts = {
        "database": choice.dataset.name,
        "forum": f"{common}, {left_out:,} in one only" if left_out else common,
        "visibility": VIEWS[choice.view],
        "casino": f"{comparison.resamples:,} resamples of conversations, seed {comparison.seed}",
    }
    if comparison.together > 1:
        facts["join"] = f"adjusted for {comparison.together} comparisons together"
    for place_, row in (("looks_one", choice.first), ("looks_two", choice.shown)):
        facts[place_] = f"{choice.names[row.run_id]}: {compare_report.source_words(row)}"
    if part := compare_report.part_words(choice.part, choice.talks):
        facts["filter_alt"] = part
    compare_overview.rests_on(facts, _notes(choice, compared))


def _notes(choice: CompareChoice, compared: Compared) -> tuple[str, ...]:
    example = choice.dataset.folder.parent == reading.services().shipped
    return (*((compare_report.EXAMPLE_NOTE,) if example else ()), *compared.notes)


def _scores(choice: CompareChoice, ready: Mapping[str, Compared], compared: Compared) -> None:
    head = st.container(horizontal=True, vertical_alignment="center")
    with head:
        details.heading("Scoreboard")
        st.space("stretch")
        st.toggle("Breakdowns", key=place.BREAKDOWNS, help=_BREAKDOWNS)
        with st.container(width=_EXPORT_PIXELS):
            _export(choice, ready, compared)
    table = compare_scoreboard.scoreboard(compared.comparison, *choice.sides)
    compare_overview.scoreboard(table, compare_scoreboard.not_measured(compared.comparison))
    details.heading("Differences")
    _forest(choice, ready)


def _forest(choice: CompareChoice, ready: Mapping[str, Compared]) -> None:
    """Every run that was compared, on the same scales."""
    rows = {
        choice.names[run]: [row for row in own.comparison.rows if not row.metric.detail] for run, own in ready.items()
    }
    by_title: dict[str, dict[str, Panel]] = {}
    for name, own in rows.items():
        for panel in panels(own):
            by_title.setdefault(panel.title, {})[name] = panel
    compare_overview.forest(list(by_title.values()), not_drawn(rows[choice.names[choice.shown.run_id]]))


def _costs(choice: CompareChoice, compared: Compared) -> None:
    """What the gain costs, who was right, whose answers were fallbacks, and how far repeated answers vary."""
    cards = st.grid(3, min_column_width=_COLUMN_PIXELS, border=True)
    if choice.is_model_against_rules:
        _lift(choice, compared, cards)
    with cards.cell():
        pairs = zip(choice.sides, (compared.first, compared.second), strict=True)
        costs_drawn.fallbacks([costs.fallbacks(name, scores) for name, scores in pairs])
    for name, row, found in zip(choice.sides, (choice.first, choice.shown), compared.variations, strict=True):
        lines = costs.variation_lines(found, lambda metric: metric in costs.LIFTS)
        if lines:
            with cards.cell():
                costs_drawn.repeats(name, row.samples, lines)


def _lift(choice: CompareChoice, compared: Compared, cards: GridContainer) -> None:
    """The second run as a model, against the first as the rules."""
    compared_rows = [row for row in compared.comparison.rows if row.gain is not None]
    lifts = compared.lifts([row.metric for row in compared_rows if row.metric.name in costs.LIFTS])
    rules, model = choice.sides
    if lifts:
        price = costs.price(lifts[0])
        with cards.cell(column_span=2 if price.is_known else 1):
            costs_drawn.lift([costs.lift_line(lift) for lift in lifts], price, model, rules)


def _export(choice: CompareChoice, ready: Mapping[str, Compared], compared: Compared) -> None:
    """Files have everything in them, breakdowns too, whatever the page shows."""
    rows = turns.choices(compared.comparison)

    def whole() -> Comparison:
        return _together(ready, whole=True)[choice.shown.run_id].comparison

    def file(what: str, format_: Format) -> bytes:
        row = compare_turns.measure(rows)
        if what == _SCOREBOARD or row is None:
            return exports.scoreboard_file(whole(), format_)
        changes = compared.changes(row.metric)
        return exports.turns_file(compared.comparison, choice.talks, row.metric, changes, format_)

    def report() -> str:
        row = compare_turns.measure(rows)
        metric = row.metric if row else compared.comparison.rows[0].metric
        return render(
            compare_report.report(
                whole(),
                choice.dataset.name,
                choice.talks,
                (choice.first, choice.shown),
                choice.sides,
                metric,
                compared.changes(metric),
                choice.part,
                _notes(choice, compared),
                lambda run, conversation: compare_turns.side(choice.names[run.run_id], run, conversation),
            )
        )

    tables = {_SCOREBOARD: "The scoreboard", _TURNS: "The turns that differ"}
    name = f"{choice.shown.run_id}-against-{choice.first.run_id}"
    export_menu.export(tables, file, report, name, key="compare")


def _address(choice: CompareChoice) -> ComparePlace:
    """The address of the page but for the turn."""
    several = len(choice.others) > 1
    return ComparePlace(
        runs=(choice.first.run_id, *(row.run_id for row in choice.others)),
        shown=choice.shown.run_id if several else None,
        view=choice.view,
        part=choice.part,
    )
