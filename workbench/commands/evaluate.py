"""`qbs evaluate`: replay what is missing, judge it, compare it with another run, and end by its gates."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from workbench.commands import options
from workbench.commands.exits import FAILED, say
from workbench.commands.judging import (
    Details,
    FailIf,
    Junit,
    Metrics,
    TooLittle,
    chosen_metrics,
    end,
    gate_facts,
    gates_of,
    tell_notes,
    write_files,
)
from workbench.commands.output import AsJson, show, show_json
from workbench.services import DEFAULT_DATASET, Services, build_services
from workbench.settings import load_settings

if TYPE_CHECKING:
    from evals.evaluation import Evaluation
    from evals.gates import Checked, Gate
    from evals.metrics.judged import View
    from evals.metrics.metric import Metric
    from evals.records import Estimate
    from evals.repeats import Variation
    from workbench.evaluations import Pair
    from workbench.replays import ReplayRequest

EPILOG = """\
\b
Examples:
  qbs evaluate                          the shipped conversations, by rules
  qbs evaluate --variant recorded --against rules
  qbs evaluate pilot --variant llm --samples 3
  qbs evaluate --variant recorded --against rules --gate gates.toml
  qbs evaluate --variant llm --prompts question@v2 --against llm

\b
What is missing of a run is replayed first; what is there is used as it is.
--against takes a variant, which is replayed too, or a run.
Exit code 1 if a gate failed, or a replay stopped at a limit;
4 if no model can be reached. docs/comparing.md explains gates.
"""
_VARIANT = re.compile(r"rules|recorded|labels|llm(?::.+)?")


def register(cli: typer.Typer) -> None:
    cli.command("evaluate", epilog=EPILOG)(evaluate)


def evaluate(
    dataset: options.DatasetToReplay = None,
    variant: Annotated[str, typer.Option(metavar="NAME", help="What answers, as in `qbs replay`.")] = "rules",
    prompts: Annotated[
        str | None, typer.Option("--prompts", metavar="SET", help="Its prompts; what --against names has shipped ones.")
    ] = None,
    against: Annotated[
        str | None, typer.Option(metavar="RUN|VARIANT", help="Compare with this; the one judged is B.")
    ] = None,
    samples: options.Samples = 1,
    split: options.Split = None,
    gate: Annotated[Path | None, typer.Option("--gate", metavar="FILE", help="Gates, as TOML.")] = None,
    fail_if: FailIf = None,
    fail_on_not_enough_data: TooLittle = False,
    junit: Junit = None,
    metric: Metrics = None,
    details: Details = False,
    limit_cost: options.LimitCost = None,
    limit_calls: options.LimitCalls = None,
    as_json: AsJson = False,
) -> None:
    """Replay what is missing, judge it, and check gates."""
    from evals.gates import check
    from evals.metrics import find_metric
    from workbench.evaluations import unusable_in_gates

    view, gates = _gates(gate, fail_if or [], fail_on_not_enough_data=fail_on_not_enough_data)
    if against is None and (needs := next((own for own in gates if own.condition.needs_both), None)):
        raise typer.BadParameter(f"{needs.condition.text!r} needs --against RUN", param_hint="--gate / --fail-if")
    metrics = chosen_metrics(metric or [], gates)
    services = build_services(options.with_options(load_settings(), max_cost_usd=limit_cost, max_calls=limit_calls))
    own = _request(services, dataset or DEFAULT_DATASET, variant, prompts, split)
    judged = _judged(services, dataclasses.replace(own, samples=samples), against, as_json=as_json)
    tell_notes(judged)
    found = _Found.of(judged, view, metrics)
    unusable = unusable_in_gates(judged, [find_metric(own.condition.metric) for own in gates])
    checked = check(gates, found.pair.comparison if found.pair else None, found.own, unusable)
    write_files([], {found.title: checked}, (), junit)
    if as_json:
        show_json(found.facts() | {"gates": gate_facts(checked)})
    else:
        show(found.text(checked, details=details or bool(metric)))
    end(checked)


@dataclasses.dataclass(frozen=True)
class _Found:
    """What came of judging a run. `pair` compares it with another, `repeats` says how its answers vary."""

    run_id: str
    view: View
    metrics: tuple[Metric, ...]
    own: dict[str, Estimate]
    pair: Pair | None
    repeats: tuple[Variation, ...]

    @classmethod
    def of(cls, judged: tuple[Evaluation, ...], view: View, metrics: tuple[Metric, ...]) -> _Found:
        from evals.evaluation import only_metrics
        from evals.repeats import variations
        from evals.slices import Slice
        from workbench.evaluations import compared

        second = judged[-1]
        scores = only_metrics(second.scores(view), metrics)
        pair = compared(judged[0], second, Slice(), view, metrics) if len(judged) > 1 else None
        repeats = variations(scores) if any(sample for _, _, sample in scores.records) else ()
        return cls(second.run_id, view, metrics, second.estimates(view, metrics), pair, repeats)

    @property
    def title(self) -> str:
        return self.pair.title if self.pair else f"{self.run_id} ({self.view})"

    def text(self, checked: tuple[Checked, ...], *, details: bool) -> str:
        from workbench.commands.comparison_report import comparison_text, estimates_text, gates_text, variations_text

        if self.pair is None:
            parts = [f"{self.run_id}\n\n{estimates_text(self.metrics, self.own, details=details)}"]
        else:
            parts = [comparison_text(self.pair.comparison, details=details)]
        parts += [variations_text(self.repeats)] if self.repeats else []
        parts += [gates_text(checked)] if checked else []
        return "\n\n".join(parts)

    def facts(self) -> dict[str, Any]:
        from evals.comparison_rows import facts

        return {
            "run_id": self.run_id,
            "view": self.view.value,
            "metrics": {name: own.model_dump() for name, own in self.own.items()},
            "comparison": facts(self.pair.comparison) if self.pair else None,
            "repeats": {
                own.metric.name: {"samples": own.samples, "answers": own.answers, "conversations": own.conversations}
                for own in self.repeats
            },
        }


def _gates(file: Path | None, conditions: list[str], *, fail_on_not_enough_data: bool) -> tuple[View, tuple[Gate, ...]]:
    """The gates of the file and of the command line, and the view that the file asks for.

    Raises InputError with file and line, typer.BadParameter.
    """
    from evals.gates_file import read_gates
    from evals.metrics.judged import View

    told = gates_of(conditions, fail_on_not_enough_data=fail_on_not_enough_data)
    if file is None:
        return View.MODEL, told
    found = read_gates(file)
    strict = (dataclasses.replace(own, fail_on_not_enough_data=True) for own in found.gates)
    return found.view, (*(strict if fail_on_not_enough_data else found.gates), *told)


def _request(
    services: Services, dataset: str, variant: str, prompts: str | None, split: Literal["dev", "test"] | None
) -> ReplayRequest:
    from workbench.commands.replay import chosen_prompts
    from workbench.replays import ReplayRequest

    return ReplayRequest(dataset, variant=variant, split=split, prompts=chosen_prompts(services, prompts, variant))


def _judged(services: Services, own: ReplayRequest, against: str | None, *, as_json: bool) -> tuple[Evaluation, ...]:
    """The run to compare with, if any, and the run to judge, replayed as far as they were missing.

    A variant to compare with has the shipped prompts, so that a change of prompts alone can be compared.
    """
    from workbench.evaluations import evaluations

    names = []
    if against is not None:
        is_variant = _VARIANT.fullmatch(against) is not None
        other = dataclasses.replace(own, variant=against, samples=1, prompts=None)
        names.append(_replayed(services, other, as_json=as_json) if is_variant else services.run(against).run_id)
    names.append(_replayed(services, own, as_json=as_json))
    return evaluations(services, names)


def _replayed(services: Services, request: Any, *, as_json: bool) -> str:
    """The run that this request means, complete. Ends the command if it could not be completed."""
    from workbench.commands.replay import conclude, model_problem, perform
    from workbench.commands.runs import indexed_run
    from workbench.replays import plan_replay

    outcome = perform(services, plan_replay(services, request))
    if outcome.ended != "complete":
        conclude(services, outcome, as_json=as_json)
    if problem := model_problem(services, indexed_run(services, outcome.run_id)):
        say(problem)
        raise typer.Exit(FAILED)
    return outcome.run_id
