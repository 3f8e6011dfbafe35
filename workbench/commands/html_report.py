"""A comparison as the one-page report that opens without a network, written from the command line."""

from __future__ import annotations

from pathlib import Path

from evals.compare import turn_changes
from evals.evaluation import Evaluation
from evals.files import write_atomically
from evals.metrics.metric import Metric
from evals.report import render
from evals.runs.rows import RunRow
from evals.slices import Slice
from workbench.commands.exits import say
from workbench.commands.judging import check_place
from workbench.commands.runs import indexed_run
from workbench.evaluations import Pair
from workbench.presenters.compare_report import report
from workbench.presenters.compare_turns import Talks
from workbench.presenters.sides import Side, side_names
from workbench.services import Services


def write_html(
    services: Services, pair: Pair, judged: tuple[Evaluation, Evaluation], part: Slice, by: Metric, file: Path
) -> None:
    """Write the report of two runs to `file`. Raises InputError for a place that cannot be, OSError."""
    check_place(file)
    first, second = (indexed_run(services, each.run_id) for each in judged)
    names = side_names((first, second))

    def side_of(row: RunRow, conversation_id: str) -> Side:
        return Side.of(row.variant, row.run_id, services.run_index().turn_records(row.run_id, conversation_id))

    page = report(
        pair.comparison,
        judged[0].dataset.name,
        Talks.of(judged[0].dataset),
        (first, second),
        (names[0], names[1]),
        by,
        turn_changes(pair.first, pair.second, by),
        part,
        dict.fromkeys(note for each in judged for note in each.notes),
        side_of,
    )
    write_atomically(file, render(page).encode())
    say(f"Written: {file}")
