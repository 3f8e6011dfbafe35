"""How far two people who labelled the same turns agree, label by label, beyond what chance would give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Literal

from engine.model.qbs import QBSQuestionType
from engine.model.qualification import Dimension
from engine.model.value import Value
from engine.people import same_person
from evals.labels import TurnLabel

Labelling = Mapping[tuple[str, int], TurnLabel]  # by conversation and turn


class Agreement(Value):
    """Agreement on one label over `n` judgements. Higher is better; 1 is full agreement, 0 what chance gives.

    `value` is None where it is undefined: nothing was judged, or neither labeller ever varied. `observed` is the
    share of equal judgements, whatever the measure.
    """

    label: str
    measure: Literal["kappa", "quadratic_kappa", "f1"]
    value: float | None
    observed: float | None
    n: int


def agreement(first: Iterable[TurnLabel], second: Iterable[TurnLabel]) -> tuple[Agreement, ...]:
    """Agreement on every kind of label, over the turns that both labelled."""
    one, other = _by_key(first), _by_key(second)
    pairs = [(one[key], other[key]) for key in one if key in other]
    return (
        _nominal("engagement", [(a.engagement, b.engagement) for a, b in pairs]),
        _depth(pairs),
        _nominal("back_off", [(a.back_off, b.back_off) for a, b in pairs]),
        *_question_types(pairs),
        *_dimensions(pairs),
        *_people(pairs),
    )


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float | None:
    """Agreement of two labellings of the same items beyond chance, -1 to 1; None if chance alone agrees fully.

    kappa = (po - pe) / (1 - pe), with po the share of equal labels and pe the sum over the labels of the product
    of both labellers' shares. J. Cohen, "A coefficient of agreement for nominal scales", Educational and
    Psychological Measurement 20 (1960).
    """
    n = len(first)
    if n == 0:
        return None
    shares, other_shares = Counter(first), Counter(second)
    equal = sum(a == b for a, b in zip(first, second, strict=True))
    by_chance = sum(count * other_shares[label] for label, count in shares.items()) / n
    return None if by_chance == n else (equal - by_chance) / (n - by_chance)


def quadratic_kappa(first: Sequence[int], second: Sequence[int]) -> float | None:
    """Cohen's kappa for ranks, where being off by two weighs four times as much as being off by one.

    kappa = 1 - sum(d^2 observed) / sum(d^2 expected), d the distance of two ranks, expected as if both labellers
    kept their shares and labelled independently. None if nothing was judged, or all ranks are one and the same.
    J. Cohen, "Weighted kappa", Psychological Bulletin 70 (1968).
    """
    n = len(first)
    if n == 0:
        return None
    observed = sum((a - b) ** 2 for a, b in zip(first, second, strict=True))
    shares, other_shares = Counter(first), Counter(second)
    expected = sum(count * other * (a - b) ** 2 for a, count in shares.items() for b, other in other_shares.items())
    return None if expected == 0 else 1 - observed * n / expected


def _by_key(labels: Iterable[TurnLabel]) -> dict[tuple[str, int], TurnLabel]:
    return {label.key: label for label in labels}


def _nominal(label: str, pairs: Sequence[tuple[Hashable, Hashable]]) -> Agreement:
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    return Agreement(
        label=label, measure="kappa", value=cohen_kappa(first, second), observed=_observed(pairs), n=len(pairs)
    )


def _depth(pairs: Sequence[tuple[TurnLabel, TurnLabel]]) -> Agreement:
    ranks = [(a.pain_depth.rank, b.pain_depth.rank) for a, b in pairs]
    value = quadratic_kappa([a for a, _ in ranks], [b for _, b in ranks])
    return Agreement(
        label="pain_depth", measure="quadratic_kappa", value=value, observed=_observed(ranks), n=len(ranks)
    )


def _question_types(pairs: Sequence[tuple[TurnLabel, TurnLabel]]) -> list[Agreement]:
    """Acceptable or not, type by type."""
    return [
        _nominal(f"question_types.{kind}", [(kind in a.question_types, kind in b.question_types) for a, b in pairs])
        for kind in QBSQuestionType
    ]


def _dimensions(pairs: Sequence[tuple[TurnLabel, TurnLabel]]) -> list[Agreement]:
    """Said something about or not, dimension by dimension, and over all of them together."""
    said = [({d.dimension for d in a.dimensions}, {d.dimension for d in b.dimensions}) for a, b in pairs]
    judged = {dimension: [(dimension in a, dimension in b) for a, b in said] for dimension in Dimension}
    return [
        *(_nominal(f"dimensions.{dimension}", own) for dimension, own in judged.items()),
        _nominal("dimensions", [pair for own in judged.values() for pair in own]),
    ]


def _people(pairs: Sequence[tuple[TurnLabel, TurnLabel]]) -> list[Agreement]:
    """Anybody mentioned or not; and F1 of the people named, 2 x matched / all that both named."""
    named = [([p.mention for p in a.people], [p.mention for p in b.people]) for a, b in pairs]
    total = sum(len(a) + len(b) for a, b in named)
    matched = sum(_matched(a, b) for a, b in named)
    overlap = 2 * matched / total if total else None
    return [
        _nominal("people.any", [(bool(a), bool(b)) for a, b in named]),
        Agreement(
            label="people.named",
            measure="f1",
            value=overlap,
            observed=_observed([(True, len(a) == len(b) == _matched(a, b)) for a, b in named]),
            n=total,
        ),
    ]


def _matched(first: Sequence[str], second: Sequence[str]) -> int:
    """How many mentions of `first` have their own counterpart in `second`."""
    left, matched = list(second), 0
    for mention in first:
        counterpart = next((other for other in left if same_person(mention, other)), None)
        if counterpart is not None:
            left.remove(counterpart)
            matched += 1
    return matched


def _observed(pairs: Sequence[tuple[Hashable, Hashable]]) -> float | None:
    return sum(a == b for a, b in pairs) / len(pairs) if pairs else None
