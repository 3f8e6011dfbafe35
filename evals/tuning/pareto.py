"""The Pareto front: what no other candidate is at least as good as in every measure and better than in one. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def front(points: Sequence[Mapping[str, float]]) -> tuple[int, ...]:
    """The positions of the points that no other dominates, in order; more is better, in every measure.

    Of several equal points the first one stands for all. The points must have the same measures.
    """
    return tuple(
        position
        for position, point in enumerate(points)
        if not any(
            dominates(other, point) or (before < position and other == point)
            for before, other in enumerate(points)
            if before != position
        )
    )


def dominates(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    """Whether `one` is at least as good in every measure, and better in one."""
    return all(one[name] >= value for name, value in other.items()) and any(
        one[name] > value for name, value in other.items()
    )
