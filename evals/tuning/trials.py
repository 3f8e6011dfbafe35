"""A trial: single turns answered by other prompts, beside the answers that an earlier run gave there.

A trial is an ordinary run over picked turns (state mode `turns`), or one that goes on from a turn (`fork`); here it is
read, as far as it is there, turn by turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from engine.errors import InputError
from engine.model.analysis import Analysis
from evals.compare import TELLING_CONVERSATIONS, Comparison, Row, compare
from evals.evaluation import Evaluation, only_metrics
from evals.inference.verdict import Verdict
from evals.labels import TurnLabel
from evals.metrics import METRICS
from evals.metrics.judged import View
from evals.metrics.metric import Metric
from evals.records import Failure, RunSpec, TurnRecord
from evals.scoring import Scores, TurnKey, score
from evals.tuning.turn_scores import TurnScore, right_answers, turn_scores

REGRESSES = (
    "picked because the old answers were bad: a new answer looks better by luck alone; "
    "weigh it on turns picked by chance"
)
# The prompts whose answers are judged, and the answer of the analysis that each gives.
ANSWER_OF = {"extraction": "extraction", "question": "question", "expansion": "expansion"}


class TrialStatus(StrEnum):
    """How far a trial is."""

    PARTLY = "partly answered"  # under way, or stopped; the same trial goes on
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One turn of a trial. `new` is None as long as it is not answered.

    `old_score` and `new_score` are by the metrics of the trial, from 0 to 1; None where the turn could not be judged.
    """

    conversation: str
    turn: int
    old: Analysis | Failure | None
    new: Analysis | Failure | None
    label: TurnLabel | None
    old_score: TurnScore | None
    new_score: TurnScore | None

    @property
    def score_change(self) -> float | None:
        """How much better (above 0) or worse the turn was answered; None where either side could not be judged."""
        old, new = (score.value if score else None for score in (self.old_score, self.new_score))
        return None if old is None or new is None else new - old


@dataclass(frozen=True)
class TrialVerdict:
    """The comparison on the turns of a trial that are answered, and what it says in a sentence or two.

    Of turns that were picked for their old answers `words` say only that: even the same prompt would look better there.
    """

    comparison: Comparison
    words: str

    def named(self, verdict: Verdict) -> tuple[str, ...]:
        """The metrics with this verdict."""
        return tuple(row.metric.name for row in self.comparison.rows if row.verdict is verdict)


@dataclass(frozen=True)
class Trial:
    """A trial as far as it is there. `verdict` is None as long as there is nothing to compare."""

    run_id: str
    base_id: str
    status: TrialStatus
    answered: int
    of: int
    verdict: TrialVerdict | None
    rows: tuple[TrialRow, ...]
    notes: tuple[str, ...] = ()


def base_of(spec: RunSpec) -> str:
    """The run that a trial is beside. Raises InputError for a run that is no trial."""
    if spec.picked is not None:
        return spec.picked.run_id
    if spec.fork is not None:
        return spec.fork.run_id
    raise InputError("this run is not of single turns, and did not go on from one: there is nothing to put it beside")


def metrics_of_change(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[Metric, ...]:
    """The metrics that a change of prompts can move: `old` and `new` are content hashes by prompt name.

    Left out are breakdowns, and what an answer cost or how long it took: that few turns say little about it. Where
    nothing comparable changed (rules on one side, or the same prompts), all others.
    """
    changed = {ANSWER_OF[name] for name in new if name in ANSWER_OF and old and old.get(name) != new[name]}
    listed = [metric for metric in METRICS if not (metric.detail or metric.name.startswith("operations."))]
    return tuple(metric for metric in listed if not changed or metric.tally.answer in changed)


def read_trial(base: Evaluation, trial: Evaluation, metrics: Sequence[Metric] | None = None) -> Trial:
    """The trial beside its base run, which must be evaluated together. Raises RunDamagedError."""
    spec = trial.folder.manifest.spec
    metrics = metrics or metrics_of_change(base.folder.manifest.spec.variant.prompts, spec.variant.prompts)
    wanted = _turns_of(trial)
    old, new = _first_samples(base, wanted), _first_samples(trial, wanted)
    shares = [metric for metric in metrics if metric.unit == "share"]
    old_scores, new_scores = (_scores(side, wanted, shares) for side in (base, trial))
    rows = tuple(
        TrialRow(
            *key,
            old=old[key].result if key in old else None,
            new=new[key].result if key in new else None,
            label=base.dataset.labels.get(key[0], {}).get(key[1]),
            old_score=old_scores.get(key),
            new_score=new_scores.get(key),
        )
        for key in wanted
    )
    return Trial(
        run_id=trial.run_id,
        base_id=base.run_id,
        status=TrialStatus.COMPLETE if trial.folder.totals is not None else TrialStatus.PARTLY,
        answered=len(new),
        of=len(wanted),
        verdict=_verdict(base, trial, set(new), metrics) if new else None,
        rows=rows,
        notes=tuple(dict.fromkeys((*_unanswered(len(new), len(wanted)), *_fallbacks(new.values()), *trial.notes))),
    )


def in_words(comparison: Comparison) -> str:
    """The verdict on a few turns, with what it rests on, for people."""
    known = [row for row in comparison.rows if row.gain is not None]
    found = {verdict: [row for row in known if row.verdict is verdict] for verdict in Verdict}
    telling = [verdict for verdict in (Verdict.BETTER, Verdict.WORSE) if found[verdict]]
    parts = [f"{verdict.capitalize()} in {_listed(found[verdict])}." for verdict in telling]
    if not known:
        parts.append("None of these turns has a label or an answer that could be judged.")
    elif not parts and len(found[Verdict.TIED]) == len(known):
        parts.append("Tied in every measure.")
    elif not parts:
        shares = [row for row in found[Verdict.NOT_ENOUGH_DATA] if row.metric.unit == "share"]
        largest = sorted(shares, key=lambda row: -abs(row.gain or 0.0))[:1]
        told = f"; the largest difference is in {_listed(largest)}" if largest else ""
        parts.append(f"Not enough data for a verdict{told}.")
    if found[Verdict.NOT_ENOUGH_DATA] and comparison.conversations < TELLING_CONVERSATIONS:
        parts.append(
            f"From fewer than {TELLING_CONVERSATIONS} conversations no difference can be told from luck: "
            "read the answers, and try more turns before you believe a figure."
        )
    return f"{_on(comparison)}: " + " ".join(parts)


def _on(comparison: Comparison) -> str:
    return f"On {_count(comparison.turns, 'turn')} of {_count(comparison.conversations, 'conversation')}"


def _verdict(
    base: Evaluation, trial: Evaluation, answered: set[TurnKey], metrics: Sequence[Metric]
) -> TrialVerdict | None:
    sides = [only_metrics(side.scores(View.MODEL).of_turns(answered), metrics) for side in (base, trial)]
    if not all(side.records for side in sides):
        return None
    comparison = compare(*sides)
    picked = trial.folder.manifest.spec.picked
    worst = picked is not None and picked.by == "worst"
    return TrialVerdict(comparison, f"{_on(comparison)}: {REGRESSES}." if worst else in_words(comparison))


def _turns_of(trial: Evaluation) -> tuple[TurnKey, ...]:
    """The turns that a trial is about, in order, as far as their conversations are as they were."""
    spec, ids = trial.folder.manifest.spec, set(trial.matched.ids)
    if spec.picked is not None:
        return tuple(turn for turn in spec.picked.turns if turn[0] in ids)
    first = spec.fork.turn if spec.fork else 0
    turns = ((own.id, turn.index) for own in trial.matched.conversations for turn in own.customer_turns)
    return tuple(turn for turn in turns if turn[1] >= first)


def _first_samples(side: Evaluation, wanted: Sequence[TurnKey]) -> dict[TurnKey, TurnRecord]:
    keys = set(wanted)
    records = (record for record in side.folder.records() if record.sample == 0)
    return {key: record for record in records if (key := (record.conversation_id, record.turn)) in keys}


def _scores(side: Evaluation, wanted: Sequence[TurnKey], metrics: Sequence[Metric]) -> dict[TurnKey, TurnScore]:
    keys = set(wanted)
    try:
        scores = side.scores(View.MODEL)
    except InputError:  # nothing is answered yet
        return {}
    answers = _first_samples(side, wanted).values()
    return turn_scores(only_metrics(scores.of_turns(keys), metrics), metrics, right_scores(side, answers, metrics))


def right_scores(side: Evaluation, answers: Iterable[TurnRecord], metrics: Sequence[Metric]) -> Scores:
    """What the labels themselves would score on these turns of a run: what there is to be had."""
    right = right_answers(answers, side.matched.conversations, side.dataset.labels)
    return score(right, side.dataset.labels, side.matched.conversations, metrics)


def _unanswered(answered: int, of: int) -> list[str]:
    if not 0 < answered < of:
        return []
    told = "whoever looks again and again while answers come in finds a difference by luck"
    return [f"{answered} of {_count(of, 'turn')} are answered so far: {told}; the verdict is the one on all of them"]


def _fallbacks(records: Iterable[TurnRecord]) -> list[str]:
    answered = [record.result for record in records if isinstance(record.result, Analysis)]
    fell = sum(any(source.is_fallback for source in result.sources.values()) for result in answered)
    told = "the rules answered in the model's place; those answers are not judged"
    return [f"on {_count(fell, 'turn')} {told}"] if fell else []


def _listed(rows: Sequence[Row]) -> str:
    return "; ".join(_figure(row) for row in rows)


def _figure(row: Row) -> str:
    difference = row.difference
    if difference.value is None or row.first.value is None or row.second.value is None:
        return row.metric.title
    around = "" if difference.low is None else f", 95 % interval {difference.low:+.2f} to {difference.high:+.2f}"
    return f"{row.metric.title}: {row.first.value:.2f} → {row.second.value:.2f} ({difference.value:+.2f}{around})"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
