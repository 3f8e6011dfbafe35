"""`python -m tests.benchmarks [NAME ...]`: measure, print a table, keep it as JSON, fail if a goal is missed."""

from __future__ import annotations

import importlib
import json
import os
import platform
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.benchmarks.figure import Figure

NAMES = (
    "fold",
    "memory",
    "turn_latency",
    "model_calls",
    "start",
    "first_page",
    "harness",
    "statistics",
    "scoreboard",
    "judging",
    "outcomes",
    "outcome_facts",
    "outcomes_page",
    "state",
    "tenants",
    "live_turn",
    "live_killed",
    "killed",
    "off_policy",
    "calibration",
)
RESULTS = Path(os.environ.get("QBS_HOME", ".qbs")) / "bench"


def main(names: list[str]) -> int:
    """Run the benchmarks named (all by default). Exit code 1 if a goal was missed, 2 for an unknown name."""
    if unknown := [name for name in names if name not in NAMES]:
        print(f"unknown benchmark {', '.join(unknown)}; there are: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    console = Console()
    figures: list[Figure] = []
    for name in names or NAMES:
        console.print(f"[dim]measuring {name} ...[/dim]")
        figures += importlib.import_module(f"tests.benchmarks.{name}").measure()
    console.print(_table(figures))
    console.print(f"kept in {_keep(figures)}")
    return 1 if any(figure.reached is False for figure in figures) else 0


def _table(figures: list[Figure]) -> Table:
    table = Table("what", "measured", "goal", "", "note", title="Benchmarks", title_justify="left")
    table.columns[1].justify = table.columns[2].justify = "right"
    for figure in figures:
        goal = "" if figure.goal is None else f"{figure.good} {figure.goal:g} {figure.unit}"
        mark = {None: "", True: "[green]reached[/green]", False: "[red]missed[/red]"}[figure.reached]
        table.add_row(figure.name, f"{figure.value:,.4g} {figure.unit}", goal, mark, figure.note)
    return table


def _keep(figures: list[Figure]) -> Path:
    RESULTS.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    machine = {"python": platform.python_version(), "cores": os.cpu_count(), "machine": platform.machine()}
    rows = [{**asdict(figure), "reached": figure.reached} for figure in figures]
    path = RESULTS / f"{now:%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps({"measured_at": now.isoformat(), **machine, "figures": rows}, indent=2) + "\n")
    return path


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
