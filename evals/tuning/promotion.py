"""The gate: may a prompt set take the place of the one in production? Decided by finished runs of both, paired by turn.

It passes if no metric of the rules is worse and one is better on any data set; if the change is meant to be neutral,
if every metric is tied. Too little data to tell either blocks, as do limits, conditions and turns that must not break.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from evals.compare import Comparison, Row, compare, turn_changes
from evals.evaluation import Evaluation, evaluate_all, only_metrics
from evals.gates import Outcome, check
from evals.inference.verdict import Verdict
from evals.judge_agreement import usable_in_gate
from evals.library import Dataset
from evals.metrics import find_metrics
from evals.metrics.metric import Metric
from evals.report import figures
from evals.runs.folder import RunFolder
from evals.scoring import Scores
from evals.tuning.decision import BrokenTurn, ComparedRuns, Decision, Finding, TellingTurn
from evals.tuning.must_not_break import ProtectedTurn, of_dataset
from evals.tuning.promotion_file import PromotionRules
from evals.tuning.promotion_limits import OPERATIONS, check_limits
from evals.tuning.promotion_runs import FoundRuns, NamedSet, missing_runs
from evals.tuning.turn_faults import broken, turn_state

if TYPE_CHECKING:
    from evals.runs.counts import CountStore

MOST_TURNS = 3  # that are told of one metric

_OUTCOMES = {
    Verdict.BETTER: Outcome.PASSED,
    Verdict.TIED: Outcome.PASSED,
    Verdict.WORSE: Outcome.FAILED,
    Verdict.NOT_ENOUGH_DATA: Outcome.NOT_ENOUGH_DATA,
}


def decide(
    rules: PromotionRules,
    found: Sequence[FoundRuns],
    production: NamedSet,
    candidate: NamedSet,
    protected: Sequence[ProtectedTurn] = (),
    *,
    neutral: bool = False,
    store: CountStore | None = None,
) -> Decision:
    """The decision about `candidate`. `found` are the runs over the data sets of the rules, and of protected turns.

    Raises InputError if a run cannot be judged, RunDamagedError if one was altered.
    """
    if production.reads_like(candidate):
        return _alike(production, candidate, neutral=neutral)
    missing = missing_runs(found, production, candidate, rules.variant)
    both = [
        _Pair(rules, own.dataset, own.production, own.candidate, (own.production_runs, own.candidate_runs), store)
        for own in found
        if own.production is not None and own.candidate is not None
    ]
    judged = [pair for pair in both if pair.dataset.name in rules.datasets]
    verdict = Verdict.NOT_ENOUGH_DATA if missing else _verdict(judged)
    broke = [turn for pair in both for turn in _broken(pair, of_dataset(protected, pair.dataset.name))]
    findings = [
        *(_run_finding(own.dataset, own.prompts, own.command) for own in missing),
        *(finding for pair in both for finding in _repeats(pair, production, candidate)),
        *([] if missing else _data_findings(rules, judged)),
        *(finding for pair in judged for finding in _pair_findings(pair)),
        *_protected_findings(protected, both, broke, {own.dataset for own in missing}),
        *([] if missing else _verdict_findings(verdict, judged, neutral=neutral)),
    ]
    return Decision(
        candidate=candidate.prompts.hash,
        production=production.prompts.hash,
        neutral=neutral,
        verdict=verdict,
        findings=tuple(findings),
        runs=tuple(pair.runs for pair in both),
        missing=missing,
        broken=tuple(broke),
        turns=tuple(turn for pair in judged for turn in _telling(pair, findings)),
    )


def undecided(production: NamedSet, candidate: NamedSet, reason: str, *, neutral: bool = False) -> Decision:
    """The decision where it cannot even be said which runs are wanted, for a `reason` in words."""
    finding = Finding("runs", "models", Outcome.NOT_ENOUGH_DATA, reason, blocks=True)
    hashes = candidate.prompts.hash, production.prompts.hash
    return Decision(*hashes, neutral=neutral, verdict=Verdict.NOT_ENOUGH_DATA, findings=(finding,))


@dataclass(frozen=True)
class _Pair:
    """The runs of both sets over one data set, judged when they are first asked for."""

    rules: PromotionRules
    dataset: Dataset
    production: RunFolder
    candidate: RunFolder
    counts: tuple[int, int]  # of finished runs like each of these
    store: CountStore | None

    @property
    def runs(self) -> ComparedRuns:
        turns = self.labelled
        conversations = len({id_ for id_, _ in turns})
        ids = self.production.run_id, self.candidate.run_id
        return ComparedRuns(self.dataset.name, *ids, len(turns), conversations, *self.counts)

    @cached_property
    def evaluations(self) -> tuple[Evaluation, ...]:
        return evaluate_all([(self.production, self.dataset), (self.candidate, self.dataset)], self.store)

    @cached_property
    def scores(self) -> tuple[Scores, Scores]:
        first, second = (own.scores(self.rules.view) for own in self.evaluations)
        return first, second

    @cached_property
    def metrics(self) -> tuple[Metric, ...]:
        """Those of the rules and of their conditions. Corrected for together, since together they decide."""
        return find_metrics(dict.fromkeys((*self.rules.metrics, *(gate.condition.metric for gate in self.rules.gates))))

    @cached_property
    def unusable(self) -> dict[str, str]:
        """The metrics that a model judged without anybody knowing how far it agrees with people."""
        reason = "how far the judge agrees with people is not known; rate some questions first"
        known = self.evaluations[-1].agreements
        return {metric.name: reason for metric in self.metrics if not usable_in_gate(metric, known)}

    @cached_property
    def comparison(self) -> Comparison:
        first, second = (only_metrics(own, self.metrics) for own in self.scores)
        return compare(first, second)

    @cached_property
    def operations(self) -> Comparison:
        first, second = (only_metrics(own, find_metrics(OPERATIONS)) for own in self.scores)
        return compare(first, second)

    @property
    def rows(self) -> Iterator[Row]:
        """The rows that the verdict rests on: those of the rules' metrics that either run has anything of, be it on
        turns that the other has nothing of.
        """
        for name in self.rules.metrics:
            row = self.comparison.row(name)
            if row.first.value is not None or row.second.value is not None or any(row.left_out):
                yield row

    def verdict_on(self, row: Row) -> tuple[Verdict, str]:
        if reason := self.unusable.get(row.metric.name) or _not_compared(row):
            return Verdict.NOT_ENOUGH_DATA, reason
        return row.verdict, row.reason

    @cached_property
    def labelled(self) -> frozenset[tuple[str, int]]:
        """The turns that both answered and that have a label."""
        first, second = ({(id_, turn) for id_, turn, _ in own.records} for own in self.scores)
        labels = self.dataset.labels
        return frozenset(key for key in first & second if key[1] in labels.get(key[0], {}))


def _alike(production: NamedSet, candidate: NamedSet, *, neutral: bool) -> Decision:
    """The decision where no run could show a difference, since messages are read with the same prompts."""
    same = production.prompts.hash == candidate.prompts.hash
    reason = "it is what is in production now" if same else "messages are read with the same prompts as now"
    findings = [Finding("runs", "prompts", Outcome.PASSED, reason)]
    if not same and not neutral:
        before, after = production.prompts.hashes(), candidate.prompts.hashes()
        names = ", ".join(name for name in after if before.get(name) != after[name])
        reason = f"only {names} differs, with which replies are drafted, and no metric looks at those: look at some "
        findings.append(
            Finding("verdict", "verdict", Outcome.FAILED, f"{reason}yourself and say that it is neutral", blocks=True)
        )
    return Decision(candidate.prompts.hash, production.prompts.hash, neutral, Verdict.TIED, tuple(findings))


def _verdict(pairs: Iterable[_Pair]) -> Verdict:
    """Worse if any metric is on any data set; else better if any is; tied only if all are."""
    verdicts = {pair.verdict_on(row)[0] for pair in pairs for row in pair.rows}
    for verdict in (Verdict.WORSE, Verdict.BETTER, Verdict.NOT_ENOUGH_DATA):
        if verdict in verdicts:
            return verdict
    return Verdict.TIED if verdicts else Verdict.NOT_ENOUGH_DATA


def _not_compared(row: Row) -> str:
    """Why there is no difference to look at; empty if there is one. Answers of a fallback are nobody's answers here."""
    if row.difference.value is not None:
        return ""
    now, then = row.left_out
    return f"no turn was counted in both runs: {now:,} in the one now, {then:,} in the candidate's"


def _run_finding(dataset: str, prompts: str, command: str) -> Finding:
    reason = f"there is no finished run of {prompts} over {dataset} by the engine as it is now: {command}"
    return Finding("runs", prompts, Outcome.NOT_ENOUGH_DATA, reason, dataset, blocks=True)


def _repeats(pair: _Pair, production: NamedSet, candidate: NamedSet) -> Iterator[Finding]:
    """That there are several runs to choose from, where there are: only the first is looked at."""
    for named, number in zip((production, candidate), pair.counts, strict=True):
        if number > 1:
            reason = f"there are {number} finished runs of {named.name} over {pair.dataset.name}; the first counts"
            yield Finding("runs", named.name, Outcome.PASSED, reason, pair.dataset.name)


def _data_findings(rules: PromotionRules, pairs: Sequence[_Pair]) -> Iterator[Finding]:
    turns = sum(pair.runs.turns for pair in pairs)
    conversations = sum(pair.runs.conversations for pair in pairs)
    enough = turns >= rules.minimum_turns and conversations >= rules.minimum_conversations
    reason = f"{turns} labelled turns of {conversations} conversations were compared"
    if not enough:
        reason += f", and it takes {rules.minimum_turns} of {rules.minimum_conversations}"
    outcome = Outcome.PASSED if enough else Outcome.NOT_ENOUGH_DATA
    yield Finding("data", "how much was compared", outcome, reason, blocks=not enough)


def _pair_findings(pair: _Pair) -> Iterator[Finding]:
    """What the metrics, the limits and the conditions say about one data set."""
    name = pair.dataset.name
    for row in pair.rows:
        verdict, _ = pair.verdict_on(row)
        yield Finding(
            kind="metric",
            about=row.metric.name,
            outcome=_OUTCOMES[verdict],
            reason=_said(row, *pair.verdict_on(row)),
            dataset=name,
            figure=row.difference,
            blocks=verdict is Verdict.WORSE or bool(_not_compared(row)),
        )
    yield from check_limits(pair.rules.limits, pair.operations, name)
    for checked in check(pair.rules.gates, pair.comparison, unusable=pair.unusable):
        yield Finding(
            kind="gate",
            about=checked.gate.title,
            outcome=checked.outcome,
            reason=f"{checked.gate.title}: {checked.reason}",
            dataset=name,
            blocks=checked.failed,
        )


def _said(row: Row, verdict: Verdict, reason: str) -> str:
    """`Question type acceptable is worse: 61.0 % now, 40.2 % then; −20.8 pts [−28.0, −13.1], adjusted p is 0.002`."""
    unit, found = row.metric.unit, row.difference
    change = figures.difference(found.value, unit)
    around = figures.difference_interval(found.low, found.high, unit)
    now, then = figures.value(row.first.value, unit), figures.value(row.second.value, unit)
    figure = f"{change} {around}".rstrip()
    return f"{row.metric.title} is {verdict}: {now} now, {then} then; {figure}, {reason}"


def _broken(pair: _Pair, protected: Iterable[ProtectedTurn]) -> Iterator[BrokenTurn]:
    for turn in protected:
        before, after = (turn_state(own, (turn.conversation_id, turn.turn)) for own in pair.scores)
        if found := broken(before, after):
            ids = pair.production.run_id, pair.candidate.run_id
            yield BrokenTurn(turn, tuple(check.title for check in found), *ids)


def _protected_findings(
    protected: Sequence[ProtectedTurn], pairs: Sequence[_Pair], broke: Sequence[BrokenTurn], waiting: Collection[str]
) -> Iterator[Finding]:
    """One finding for each turn on the list, but for those of data sets whose runs are `waiting` to be made."""
    what = {own.protected.key: own.what for own in broke}
    by_dataset = {pair.dataset.name: pair for pair in pairs}
    for turn in protected:
        if turn.dataset in waiting:
            continue
        pair = by_dataset.get(turn.dataset)
        if reason := _unseen(turn, pair):
            yield Finding("must not break", turn.title, Outcome.NOT_ENOUGH_DATA, reason, turn.dataset, blocks=True)
        elif turn.key in what:
            reason = f"{turn.title} must not break, and does: {', '.join(what[turn.key])}"
            yield Finding("must not break", turn.title, Outcome.FAILED, reason, turn.dataset, blocks=True)
        else:
            reason = f"{turn.title} has nothing wrong that was right"
            yield Finding("must not break", turn.title, Outcome.PASSED, reason, turn.dataset)


def _unseen(turn: ProtectedTurn, pair: _Pair | None) -> str:
    """Why it cannot be said whether a turn broke; empty if it can."""
    if pair is not None and turn.conversation_id in pair.evaluations[1].matched.shown:
        return f"{turn.title} must not break, and cannot judge a prompt that shows its conversation as an example"
    if pair is None or not turn_state(pair.scores[1], (turn.conversation_id, turn.turn)).answered:
        return f"{turn.title} must not break, and is not there any more: take it off the list"
    return ""


def _verdict_findings(verdict: Verdict, pairs: Sequence[_Pair], *, neutral: bool) -> Iterator[Finding]:
    """Why the verdict is not enough; what is worse has said so by itself."""
    if verdict is Verdict.TIED and not neutral:
        reason = "nothing got better; if the change is meant to make no difference, say that it is neutral"
        yield Finding("verdict", "verdict", Outcome.FAILED, reason, blocks=True)
    elif verdict is Verdict.NOT_ENOUGH_DATA:
        open_ = sorted({row.metric.name for pair in pairs for row in pair.rows if _is_open(pair, row)})
        said = "shown to be as good as equal" if neutral else "shown to be better"
        reason = f"nothing can be {said} with so little data" if not neutral else f"not {said}: {', '.join(open_)}"
        yield Finding("verdict", "verdict", Outcome.NOT_ENOUGH_DATA, reason, blocks=True)


def _is_open(pair: _Pair, row: Row) -> bool:
    return pair.verdict_on(row)[0] is Verdict.NOT_ENOUGH_DATA


def _telling(pair: _Pair, findings: Sequence[Finding]) -> Iterator[TellingTurn]:
    """The turns that lost most: of the metrics that block, or of all where none does."""
    blocking = {
        own.about for own in findings if own.blocks and own.kind == "metric" and own.dataset == pair.dataset.name
    }
    gates = {own.about for own in findings if own.blocks and own.kind == "gate" and own.dataset == pair.dataset.name}
    blocking |= {gate.condition.metric for gate in pair.rules.gates if gate.title in gates}
    for metric in pair.metrics:
        if blocking and metric.name not in blocking:
            continue
        lost = [change for change in turn_changes(*pair.scores, metric) if change.gain < 0]
        for change in lost[: -MOST_TURNS - 1 : -1]:
            yield TellingTurn(
                pair.dataset.name,
                change.conversation_id,
                change.turn,
                metric,
                change.gain,
                change.first,
                change.second,
            )
