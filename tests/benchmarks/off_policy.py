"""Whether estimates for questions that were not asked can be believed, in simulated worlds whose truth is known.

200 worlds of 400 customers. The truth is the rate in 20,000 other customers' situations. The refusals are of the same
worlds with some of their choices taken away, so that the log could not have made what it is asked about.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np

from evals.learning.facts import Facts
from evals.learning.off_policy import WhatIf, policy_named, what_if
from evals.learning.simulated import ACTIONS, SimulatedWorld, simulate
from evals.records import Estimate
from tests.benchmarks.figure import Figure
from tests.evals.learning.logged_choices import changed, in_context, of_type, without, without_choices

SEEDS, CUSTOMERS = 200, 400
ANSWERED = ("always:impact", "always:solution", "always:impact+label", "prefer:confirmation")
ESTIMATORS = {"doubly robust": "doubly_robust", "self-normalised": "self_normalised", "plain": "inverse_propensity"}


def measure() -> list[Figure]:
    """Coverage of the worst and the best policy, how much is answered that can be, and what is that cannot."""
    held: dict[str, list[float]] = {name: [] for name in ESTIMATORS}
    widths: dict[str, list[float]] = {name: [] for name in ESTIMATORS}
    answered = 0
    for policy in ANSWERED:
        found = [what_if(_world(seed).facts, policy_named(policy)) for seed in range(SEEDS)]
        answered += sum(each.estimates is not None for each in found)
        for name, field in ESTIMATORS.items():
            own = [getattr(each.estimates, field) for each in found if each.estimates is not None]
            held[name].append(100 * float(np.mean([_holds(estimate, _truth(policy)) for estimate in own])))
            widths[name].append(float(np.mean([estimate.high - estimate.low for estimate in own])))
    wrong = {name: sum(_is_answered(make(seed)) for seed in range(SEEDS)) for name, make in CANNOT_TELL.items()}
    note = f"{SEEDS} worlds, {len(ANSWERED)} policies"
    robust = held["doubly robust"]
    return [
        Figure("what-if: coverage of 95 % intervals, the least", min(robust), "%", 92, "at least", note),
        Figure("what-if: coverage of 95 % intervals, the most", max(robust), "%", 98, "at most", note),
        *(
            Figure(f"what-if: the least of {name} intervals", min(held[name]), "%", note=_wider(widths, name))
            for name in ("self-normalised", "plain")
        ),
        Figure(
            "what-if: wrong answers where nobody knows, of the worst kind", max(wrong.values()), f"of {SEEDS}", 0,
            note=f"{len(wrong)} kinds of logs",
        ),
        Figure(
            "what-if: answers where the log can tell", 100 * answered / (SEEDS * len(ANSWERED)), "%", 99, "at least"
        ),
        _speed(),
    ]  # fmt: skip


def _never(seed: int) -> WhatIf:
    world = _world(seed)
    return what_if(without(world, _everywhere(world)), policy_named("always:impact"))


def _nowhere_near(seed: int) -> WhatIf:
    """Not asked of those who hold back or only answer: half of all situations."""
    return what_if(_partly(seed), policy_named("always:impact"))


def _partly_unwritten(seed: int) -> WhatIf:
    return what_if(without_choices(_partly(seed)), policy_named("always:impact+label"))


def _never_unwritten(seed: int) -> WhatIf:
    world = _world(seed)
    return what_if(without_choices(without(world, _everywhere(world))), policy_named("always:impact+label"))


def _deterministic(seed: int) -> WhatIf:
    facts = without_choices(_world(seed).facts)
    return what_if(changed(facts, propensity=np.ones(len(facts))), policy_named("always:impact"))


def _without_propensities(seed: int) -> WhatIf:
    facts = _world(seed).facts
    return what_if(changed(facts, propensity=np.full(len(facts), np.nan)), policy_named("always:impact"))


def _of_something_finer(seed: int) -> WhatIf:
    return what_if(without_choices(_world(seed).facts), policy_named("always:impact"))


def _few(seed: int) -> WhatIf:
    facts = _world(seed).facts
    return what_if(facts.where(np.arange(60)), policy_named("always:impact"))


CANNOT_TELL: dict[str, Callable[[int], WhatIf]] = {
    "never asked": _never,
    "not asked in half of the places": _nowhere_near,
    "the same, unwritten": _partly_unwritten,
    "never asked, unwritten": _never_unwritten,
    "nothing left to chance": _deterministic,
    "no propensities": _without_propensities,
    "propensities of something finer": _of_something_finer,
    "too few outcomes": _few,
}


def _partly(seed: int) -> Facts:
    world = _world(seed)
    return without(world, in_context(world, "engagement", "factual", "resistant")[:, None] & of_type("impact"))


def _everywhere(world: SimulatedWorld) -> np.ndarray:
    return np.ones(len(world.facts), np.bool_)[:, None] & of_type("impact")


@cache
def _world(seed: int) -> SimulatedWorld:
    return simulate(seed, CUSTOMERS)


@cache
def _large() -> SimulatedWorld:
    return simulate(999_999, 20_000)


@cache
def _truth(policy: str) -> float:
    """The rate that asking so would have. Every action can be taken everywhere, so to prefer one is to always do it."""
    words = policy.partition(":")[2].split("+")
    meant = np.array([all(word in action for word in words) for action in ACTIONS])
    shares = _large().truth.propensities * meant
    return _large().truth.value(shares / shares.sum(axis=1, keepdims=True))


def _holds(estimate: Estimate, truth: float) -> bool:
    return estimate.low is not None and estimate.high is not None and estimate.low <= truth <= estimate.high


def _is_answered(found: WhatIf) -> bool:
    return found.estimates is not None


def _wider(widths: dict[str, list[float]], name: str) -> str:
    ratios: Iterator[float] = (own / best for own, best in zip(widths[name], widths["doubly robust"], strict=True))
    return f"{np.mean(list(ratios)):.2f} times as wide as doubly robust ones"


def _speed() -> Figure:
    facts = _large().facts
    started = time.process_time()
    what_if(facts, policy_named("always:impact"))
    return Figure("what-if: CPU for one answer", time.process_time() - started, "s", note=f"{len(facts):,} outcomes")
