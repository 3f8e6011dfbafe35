"""What is wrong with one turn of a run, measure by measure: each is right or wrong there, and can be compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from engine.model.qualification import Dimension
from evals.metrics import conduct, expansion, extraction, operations, question
from evals.metrics.metric import Metric, Tally
from evals.scoring import Scores, TurnKey

Parts = Mapping[str, float]


@dataclass(frozen=True)
class TurnCheck:
    """One thing that a turn has right or wrong. `name` is that of the metric whose counts tell."""

    name: str
    title: str
    tally: Tally
    is_wrong: Callable[[Parts], bool]


@dataclass(frozen=True)
class TurnState:
    """Which checks a turn passed in every sample in which it could be judged, and which it failed in any."""

    right: frozenset[str]
    wrong: frozenset[str]
    answered: bool


def turn_state(scores: Scores, turn: TurnKey) -> TurnState:
    """How a turn stands in a run; nothing is right or wrong where the run has not got it."""
    positions = [place for place, (id_, number, _) in enumerate(scores.records) if (id_, number) == turn]
    right: set[str] = set()
    wrong: set[str] = set()
    for check in CHECKS:
        found = [check.is_wrong(parts) for parts in _judged(scores, check.tally, positions)]
        if found:
            (wrong if any(found) else right).add(check.name)
    return TurnState(frozenset(right), frozenset(wrong), bool(positions))


def broken(before: TurnState, after: TurnState) -> tuple[TurnCheck, ...]:
    """What was right and is wrong now; a fallback or a failure counts whatever was before."""
    return tuple(
        check for check in CHECKS if check.name in after.wrong and (check.name in before.right or check.name in _ALWAYS)
    )


def _judged(scores: Scores, tally: Tally, positions: list[int]) -> Iterator[Parts]:
    """What was counted on each of these records that could be judged."""
    counts = scores.counts.get(tally.name)
    if counts is None:
        return
    judged = set(counts.judged.tolist())
    for position in positions:
        if position in judged:
            entries = counts.record == position
            parts = dict(zip(counts.part[entries].tolist(), counts.amount[entries].tolist(), strict=True))
            yield {part: parts.get(number, 0.0) for number, part in enumerate(tally.parts)}


def _any(*parts: str) -> Callable[[Parts], bool]:
    return lambda counted: any(counted[part] > 0 for part in parts)


def _less(part: str, than: str) -> Callable[[Parts], bool]:
    return lambda counted: counted[part] < counted[than]


def _off_diagonal(counted: Parts) -> bool:
    """Of a table whose cells are named `labelled|claimed`."""
    return any(amount > 0 and len(set(cell.split("|"))) > 1 for cell, amount in counted.items())


def _check(metric: Metric, title: str, is_wrong: Callable[[Parts], bool]) -> TurnCheck:
    return TurnCheck(metric.name, title, metric.tally, is_wrong)


CHECKS = (
    *(
        TurnCheck(
            f"extraction.{dimension}.f1",
            f"whether {dimension.replace('_', ' ')} was talked about",
            extraction.HITS,
            _any(f"{dimension}.fp", f"{dimension}.fn"),
        )
        for dimension in Dimension
    ),
    _check(extraction.VERBATIM, "verbatim quotes", _less("verbatim", "n")),
    _check(question.TYPE_ACCEPTABLE, "the type of the question", _less("right", "n")),
    _check(question.TARGET_IS_A_GAP, "the target of the question", _less("gap", "n")),
    _check(question.ENGAGEMENT_ACCURACY, "the customer's engagement", _off_diagonal),
    _check(question.PAIN_DEPTH, "the depth of the pain", _off_diagonal),
    _check(question.BACK_OFF_F1, "backing off", _any("fp", "fn")),
    _check(question.REPEATED, "no question twice", _any("repeated")),
    _check(
        conduct.QUESTIONS_PER_MESSAGE, "one question a message", lambda counted: counted["questions"] > counted["n"]
    ),
    _check(conduct.JARGON, "plain words", _any("jargon")),
    _check(conduct.EARLY_EMOTION, "no feelings before their time", _any("emotional")),
    _check(conduct.PREMATURE_SOLUTION, "no solution before a need", _any("solution")),
    _check(expansion.F1, "the people mentioned", _any("fp", "fn")),
    _check(expansion.WRONG_URGENCY, "no introduction too soon", _any("too_soon")),
    _check(expansion.KNOWN_AGAIN, "nobody known reported again", _any("known")),
    _check(operations.FALLBACK_SHARE, "answered by the model, not by a fallback", _any("fallbacks")),
    _check(operations.FAILURE_SHARE, "answered at all", _any("failures")),
)
_ALWAYS = {operations.FALLBACK_SHARE.name, operations.FAILURE_SHARE.name}
