"""Runs as they are judged: by name, beside their data set, with the counts that were kept of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from engine.errors import InputError
from evals.compare import Comparison, compare, judged_together
from evals.evaluation import Evaluation, evaluate_all, only_metrics
from evals.judge_agreement import usable_in_gate
from evals.library import Dataset
from evals.metrics import METRICS
from evals.metrics.judged import View
from evals.metrics.metric import Metric
from evals.runs.counts import CountStore
from evals.scoring import Scores
from evals.slices import Slice, TurnTraits
from workbench.services import Services
from workbench.text import UnknownNameError


def evaluations(services: Services, names: Sequence[str]) -> tuple[Evaluation, ...]:
    """The runs of these names, each to be judged against its data set.

    Raises UnknownNameError for a name that no run has, or a data set that is gone, InputError for one that changed in
    all conversations.
    """
    store = CountStore(services.run_index())
    folders = [services.run(name) for name in names]
    datasets: dict[str, Dataset] = {}
    for folder in folders:
        name = folder.manifest.spec.dataset
        datasets.setdefault(name, services.dataset(name))
    return evaluate_all([(folder, datasets[folder.manifest.spec.dataset]) for folder in folders], store)


def unusable_in_gates(judged: Sequence[Evaluation], metrics: Iterable[Metric]) -> dict[str, str]:
    """The metrics among these that no gate may rest on, by name, and why: a model's ratings, of unknown worth."""
    doubtful = [metric for metric in metrics if not usable_in_gate(metric, None)]
    if not doubtful:
        return {}
    known = judged[-1].agreements
    reason = "how far the judge agrees with people is not known; rate some questions first"
    return {metric.name: reason for metric in doubtful if not usable_in_gate(metric, known)}


@dataclass(frozen=True, eq=False)
class Pair:
    """Two runs compared in one view, and the scores of both by every metric."""

    comparison: Comparison
    first: Scores
    second: Scores

    @property
    def title(self) -> str:
        return f"{self.comparison.second} against {self.comparison.first} ({self.comparison.view})"


def compared(first: Evaluation, second: Evaluation, part: Slice, view: View, metrics: Sequence[Metric]) -> Pair:
    """`second` against `first` over a part of the turns, by these metrics.

    Raises InputError if they are of different data sets, or nothing of the part is in both.
    """
    if first.dataset.name != second.dataset.name:
        raise InputError(
            f"{first.run_id} is over {first.dataset.name} and {second.run_id} over {second.dataset.name}; "
            "compare runs of one data set"
        )
    one, other = scores_of(first, part, view), scores_of(second, part, view)
    return Pair(compare(only_metrics(one, metrics), only_metrics(other, metrics)), one, other)


def judged_as_one(pairs: Sequence[Pair]) -> tuple[Pair, ...]:
    """The same with verdicts that hold for all of them together."""
    judged = judged_together([pair.comparison for pair in pairs])
    return tuple(replace(pair, comparison=comparison) for pair, comparison in zip(pairs, judged, strict=True))


def scores_of(evaluation: Evaluation, part: Slice, view: View) -> Scores:
    """The scores of a part of a run. Raises InputError if none of its turns are in that part."""
    scores = evaluation.scores(view)
    if not part.filters:
        return scores
    turns = [key[:2] for key in scores.records]
    traits = TurnTraits(evaluation.dataset, turns, scores.conversations, scores.conversation_of)
    found = scores.only(part.mask(traits))
    if not found.records:
        raise InputError(f"no turn of {evaluation.run_id} fits all of these filters; take some away")
    return found


def metrics_named(names: Sequence[str]) -> tuple[Metric, ...]:
    """The metrics of these names or families, in the order of all; every one if none is named.

    Raises UnknownNameError for a name that is neither.
    """
    families = {metric.name.split(".", 1)[0] for metric in METRICS}
    known = {metric.name for metric in METRICS} | families
    for name in names:
        if name not in known:
            raise UnknownNameError("metric", name, known)
    wanted = set(names)
    return tuple(
        metric for metric in METRICS if not wanted or metric.name in wanted or metric.name.split(".", 1)[0] in wanted
    )
