"""What a judge's ratings are worth: how far it agrees with people, with itself when asked again, and people among them.

Agreement is Cohen's kappa with quadratic weights on the scale of 1 to 4 (1 is full agreement, 0 what chance gives),
with a 95 % interval that resamples conversations. J. Cohen, "Weighted kappa", Psychological Bulletin 70 (1968).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations, product
from typing import Protocol

import numpy as np

from evals.compare import TELLING_CONVERSATIONS
from evals.inference.intervals import estimate
from evals.inference.resampling import RESAMPLES, SEED, Array, resampled_totals
from evals.judgements import LEAST, MOST, Judgement, Scale, TurnQuestion, by_question
from evals.metrics.formulas import quadratic_kappa
from evals.metrics.judged_by_model import SCALE_OF
from evals.metrics.metric import Metric, Totals
from evals.ratings import QuestionRating
from evals.records import Estimate
from evals.report import figures

RATINGS = MOST - LEAST + 1

Pair = tuple[int, int]  # two ratings of one question
Pairs = Mapping[TurnQuestion, Sequence[Pair]]


@dataclass(frozen=True, slots=True)
class JudgeAgreement:
    """Agreement on one scale. `n` of each estimate counts the questions with two ratings or more to compare.

    `people` compares each judgement with each person's rating, `repeats` the judgements of one question with each
    other, `among_people` the ratings of different people. Every question weighs the same, however often it was rated.
    `conversations` counts those with a question that both the judge and people rated.
    """

    scale: Scale
    people: Estimate
    repeats: Estimate
    among_people: Estimate
    conversations: int

    @property
    def known(self) -> bool:
        """Whether it has been measured how far the judge agrees with people, in more than a few conversations."""
        return self.people.value is not None and self.conversations >= TELLING_CONVERSATIONS


Agreements = Mapping[Scale, JudgeAgreement]


def agreements(
    judgements: Iterable[Judgement],
    ratings: Iterable[QuestionRating],
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> dict[Scale, JudgeAgreement]:
    """What the ratings of one judge are worth, by scale. Raises InputError if several judges are among them."""
    judged, rated = by_question(judgements), _by_question(ratings)

    def kappa(pairs: Pairs) -> Estimate:
        return agreement(pairs, resamples=resamples, seed=seed)

    return {scale: _agreement_on(scale, judged, rated, kappa) for scale in Scale}


def agreement(pairs: Pairs, *, resamples: int = RESAMPLES, seed: int = SEED) -> Estimate:
    """Quadratic weighted kappa over questions, each with its pairs of ratings; `n` counts the questions.

    None where nothing was rated twice, or all ratings are one and the same: then chance alone agrees fully. Without an
    interval if all questions are of one conversation.
    """
    pairs = {question: own for question, own in pairs.items() if own}
    if not pairs:
        return Estimate(value=None, n=0)
    tables = _tables(pairs)
    value = float(_kappa(tables.sum(axis=0)))
    draws = np.concatenate([_kappa(totals) for totals in resampled_totals(tables, resamples=resamples, seed=seed)])
    return estimate(value, draws, n=len(pairs), conversations=len(tables), bounds=(-1.0, 1.0), is_share=False)


def worth(agreements: Agreements) -> str:
    """What belongs beside judged figures: `naturalness: agreement with people 0.62 [0.41, 0.83], n 40; ...`."""
    return "; ".join(f"{scale.replace('_', ' ')}: {agreement_words(own)}" for scale, own in agreements.items())


def agreement_words(found: JudgeAgreement) -> str:
    """How far the judge agrees with people, or that it is unknown."""
    return f"agreement with people {kappa_words(found.people)}" if found.known else "agreement with people unknown"


def kappa_words(found: Estimate) -> str:
    """`0.62 [0.41, 0.83], n 40`; a dash where there is nothing to compare."""
    return figures.UNKNOWN if found.value is None else f"{figures.estimate(found, 'score')}, n {found.n:,}"


def usable_in_gate(metric: Metric, agreements: Agreements | None) -> bool:
    """Whether a gate may rest on this metric: on one that a model judged only if its agreement with people is known.

    `agreements` are those of the judge whose ratings the metric is over; None if there are no judgements.
    """
    scale = SCALE_OF.get(metric.name)
    if scale is None:
        return True
    found = None if agreements is None else agreements.get(scale)
    return found is not None and found.known


class _Rated(Protocol):
    def rating(self, scale: Scale) -> int | None: ...


def _agreement_on(
    scale: Scale,
    judged: Mapping[TurnQuestion, Sequence[Judgement]],
    rated: Mapping[TurnQuestion, Sequence[QuestionRating]],
    kappa: Callable[[Pairs], Estimate],
) -> JudgeAgreement:
    by_judge, by_people = _on(scale, judged), _on(scale, rated)
    both = [question for question, own in by_judge.items() if own and by_people.get(question)]
    return JudgeAgreement(
        scale=scale,
        people=kappa({question: list(product(by_people[question], by_judge[question])) for question in both}),
        repeats=kappa({question: list(permutations(own, 2)) for question, own in by_judge.items()}),
        among_people=kappa({question: list(permutations(own, 2)) for question, own in by_people.items()}),
        conversations=len({question.conversation_id for question in both}),
    )


def _on(scale: Scale, rated: Mapping[TurnQuestion, Sequence[_Rated]]) -> dict[TurnQuestion, list[int]]:
    ratings = ((question, [item.rating(scale) for item in own]) for question, own in rated.items())
    return {question: [rating for rating in own if rating is not None] for question, own in ratings}


def _by_question(ratings: Iterable[QuestionRating]) -> Mapping[TurnQuestion, Sequence[QuestionRating]]:
    found: defaultdict[TurnQuestion, list[QuestionRating]] = defaultdict(list)
    for rating in ratings:
        found[rating.about].append(rating)
    return found


def _tables(pairs: Pairs) -> Array:
    """For each conversation how often each pair of ratings came up, of shape (conversations, ratings x ratings)."""
    place = {id_: number for number, id_ in enumerate(sorted({question.conversation_id for question in pairs}))}
    tables = np.zeros((len(place), RATINGS, RATINGS))
    for question, own in sorted(pairs.items()):
        for first, second in own:
            tables[place[question.conversation_id], first - LEAST, second - LEAST] += 1 / len(own)
    return tables.reshape(len(place), -1)


def _kappa(tables: Array) -> Array:
    """Of tables of shape (..., ratings x ratings); NaN where it is undefined."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(quadratic_kappa(RATINGS)(Totals(tables, {})))
