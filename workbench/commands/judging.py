"""What `qbs compare` and `qbs evaluate` share: which turns and metrics, gates, what is written, and how it ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer

from engine.errors import InputError
from workbench.commands.exits import FAILED, say
from workbench.text import UnknownNameError

if TYPE_CHECKING:
    from evals.compare import Comparison
    from evals.evaluation import Evaluation
    from evals.gates import Checked, Gate
    from evals.metrics.metric import Metric
    from evals.slices import Slice

NameT = TypeVar("NameT", bound=StrEnum)

DEFAULT_METRIC = "extraction.f1"

Metrics = Annotated[
    list[str] | None, typer.Option("--metric", metavar="NAME", help="Only this metric or family; may be repeated.")
]
Details = Annotated[bool, typer.Option("--details", help="Show breakdowns too.")]
Views = Annotated[
    Literal["model", "all", "both"], typer.Option("--view", help="Answers of fallbacks: left out, or counted too.")
]
FailIf = Annotated[
    list[str] | None, typer.Option("--fail-if", metavar="CONDITION", help="End with 1 if it holds; may be repeated.")
]
TooLittle = Annotated[
    bool, typer.Option("--fail-on-not-enough-data", help="End with 1 too if a condition cannot be decided.")
]
Junit = Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write the gates as JUnit XML.")]


def part_of(
    personas: Iterable[str] | None,
    stages: Iterable[str] | None,
    channels: Iterable[str] | None,
    engagements: Iterable[str] | None,
    split: Literal["dev", "test"] | None,
) -> Slice:
    """The part of the turns that is asked for. Raises UnknownNameError."""
    from engine.model.conversation import Channel, DealStage, Persona
    from engine.model.qbs import EngagementSignal
    from evals.slices import Slice

    return Slice(
        personas=_each(Persona, personas),
        channels=_each(Channel, channels),
        splits=(split,) if split else (),
        stages=_each(DealStage, stages),
        engagements=_each(EngagementSignal, engagements),
    )


def _each(kind: type[NameT], names: Iterable[str] | None) -> tuple[NameT, ...]:
    known = {item.value: item for item in kind}
    for name in (names := tuple(names or ())):
        if name not in known:
            words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in kind.__name__)
            raise UnknownNameError(words.strip(), name, known)
    return tuple(known[name] for name in names)


def gates_of(conditions: Sequence[str], *, fail_on_not_enough_data: bool) -> tuple[Gate, ...]:
    """The gates of `--fail-if`. Raises typer.BadParameter, which names the column."""
    from evals.gates import Gate, parse

    try:
        return tuple(Gate(parse(text), fail_on_not_enough_data=fail_on_not_enough_data) for text in conditions)
    except InputError as error:
        raise typer.BadParameter(str(error), param_hint="--fail-if") from None


def chosen_metrics(names: Sequence[str], gates: Iterable[Gate]) -> tuple[Metric, ...]:
    """The metrics that are asked for, and those that gates are about. Raises UnknownNameError."""
    from workbench.evaluations import metrics_named

    return metrics_named([*names, *(gate.condition.metric for gate in gates)] if names else [])


def metric_by(name: str | None, metrics: Sequence[Metric]) -> Metric:
    """The metric that turns are listed by: the one named, else F1 of the extraction if it was compared."""
    from workbench.evaluations import metrics_named

    if name is None:
        return next((metric for metric in metrics if metric.name == DEFAULT_METRIC), metrics[0])
    found = metrics_named([name])
    if len(found) > 1:
        raise typer.BadParameter(f"{name} is a family; name one of its metrics", param_hint="--by")
    return found[0]


def tell_notes(judged: Iterable[Evaluation]) -> None:
    """Say what a reader has to know about the data, once, on stderr."""
    for note in dict.fromkeys(note for each in judged for note in each.notes):
        say(f"Note: {note}.")


def write_files(
    comparisons: Sequence[Comparison],
    checked: dict[str, tuple[Checked, ...]],
    tables: Iterable[Path],
    junit: Path | None,
) -> None:
    """Write rows and gates where they are wanted. Raises InputError for a place that cannot be."""
    from evals.comparison_rows import write_rows
    from evals.files import write_atomically
    from evals.junit import junit_xml

    for file in tables:
        check_place(file)
        write_rows(comparisons, file)
        say(f"Written: {file}")
    if junit is not None:
        check_place(junit)
        write_atomically(junit, junit_xml(checked))
        say(f"Written: {junit}")


def check_place(file: Path) -> None:
    """Raises InputError if `file` cannot be written where it is wanted."""
    if file.is_dir():
        raise InputError("is a folder; name a file in it", file=file)
    if not file.parent.is_dir():
        raise InputError("its folder does not exist; make it first", file=file)


def gate_facts(checked: Iterable[Checked]) -> list[dict[str, Any]]:
    """What came of gates, for programs."""
    return [
        {
            "name": each.gate.title,
            "condition": each.gate.condition.text,
            "outcome": each.outcome.value,
            "failed": each.failed,
            "reason": each.reason,
        }
        for each in checked
    ]


def end(checked: Iterable[Checked]) -> None:
    """End the command with 1 if a gate failed."""
    failed = sum(each.failed for each in checked)
    if failed:
        say(f"{failed} of the gates failed.")
        raise typer.Exit(FAILED)
