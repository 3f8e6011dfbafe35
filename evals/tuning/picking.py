"""Which turns to try a prompt on: the worst of a run, some by chance, or those that a person named."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from engine.errors import InputError
from evals.scoring import TurnKey
from evals.tuning.turn_scores import TurnScore

MANY = 20


def worst_turns(scores: Mapping[TurnKey, TurnScore], most: int = MANY) -> tuple[TurnKey, ...]:
    """The turns with the lowest scores, the worst first; of equally bad ones, from as many conversations as possible.

    Turns that could not be judged are left out.
    """
    known = sorted((score.value, turn) for turn, score in scores.items() if score.value is not None)
    seen: Counter[tuple[float, str]] = Counter()
    ranked = []
    for value, turn in known:
        seen[value, turn[0]] += 1
        ranked.append((value, seen[value, turn[0]], turn))
    return tuple(turn for _, _, turn in sorted(ranked)[:most])


def random_turns(turns: Iterable[TurnKey], most: int = MANY, *, seed: int = 0) -> tuple[TurnKey, ...]:
    """So many of the turns by chance, always the same for one seed, in order."""
    known = sorted(set(turns))
    return tuple(sorted(random.Random(seed).sample(known, min(most, len(known)))))  # noqa: S311  # a draw, no secret


def named_turns(named: Sequence[TurnKey], present: Collection[TurnKey], run_id: str) -> tuple[TurnKey, ...]:
    """The turns themselves, each once, if a run has them. Raises InputError with those that it has not."""
    if missing := [turn for turn in named if turn not in present]:
        listed = ", ".join(f"{id_}:{turn}" for id_, turn in missing[:5])
        raise InputError(f"{run_id} has no answer to {listed}")
    return tuple(dict.fromkeys(named))
