"""A simulated world, in which the truth is known: who would have replied to what, and how each question was chosen.

Customers have traits that nobody sees. A logging policy chooses among ACTIONS with known probabilities. Replies take
time, some come after the window, some are reported late or never, and the engine's confidence is distorted in a known
way. What the world is like is fixed; only who and what comes along depends on the seed. It says of each outcome that it
is simulated.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from engine.model.conversation import Channel, DealStage, Persona
from engine.model.outcome import OutcomeType
from engine.model.qbs import EngagementSignal, PainDepthLevel, QBSQuestionType, VossDelivery
from engine.model.qualification import Dimension
from evals.learning.facts.values import SIMULATED, UNKNOWN, Coded, Facts, moment64
from evals.learning.simulated_choices import choices_of
from evals.learning.simulated_events import DAY_S, WINDOW_S, Happenings, happenings, known_later

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

TENANT = SIMULATED
START = datetime(2026, 1, 5, tzinfo=UTC)
ACTIONS = tuple((str(kind), str(delivery)) for kind, delivery in product(QBSQuestionType, VossDelivery))
PROMPTS = ("question@5e1f0a3c", "question@b7d24e96")  # the second took over at PROMOTED
MODEL = "simulated/model"

_QUADRATURE = 21
_STAGES = (
    DealStage.PROSPECTING,
    DealStage.DISCOVERY,
    DealStage.QUALIFICATION,
    DealStage.EVALUATION,
    DealStage.NEGOTIATION,
)
# What of a situation is seen, how often it is met, and what it does to the log odds of a reply.
_SEEN: dict[str, tuple[tuple[str, ...], tuple[float, ...], tuple[float, ...]]] = {
    "persona": (tuple(map(str, Persona)), (0.45, 0.35, 0.2), (0.3, 0.0, -0.6)),
    "stage": (tuple(map(str, _STAGES)), (0.25, 0.3, 0.2, 0.15, 0.1), (-0.5, 0.0, 0.2, 0.3, 0.1)),
    "channel": (tuple(map(str, Channel)), (0.6, 0.25, 0.15), (0.0, 0.4, 0.2)),
    "engagement": (tuple(map(str, EngagementSignal)), (0.2, 0.4, 0.15, 0.1, 0.15), (0.5, 0.0, -0.9, -0.3, 0.4)),
    "pain_depth": (tuple(map(str, PainDepthLevel)), (0.3, 0.35, 0.25, 0.1), (-0.2, 0.0, 0.2, 0.3)),
}
_STAYING = ("persona", "channel")  # within a conversation
# What each question type adds at each depth of pain (not explored, surface, business impact, emotional), and each
# delivery with each engagement (high energy, factual, resistant, topic shift, emotional language).
_TYPE_AT_DEPTH = np.array([[0.3, 0.2, -0.1, -0.4], [-0.4, 0.3, 0.5, 0.1], [-0.8, -0.3, 0.4, 0.6], [0.0, 0.1, 0.2, 0.3]])
_DELIVERY_WITH = np.array(
    [[0.1, 0.0, -0.2, 0.0, 0.1], [0.0, -0.1, 0.4, 0.1, 0.5], [0.3, 0.3, -0.2, 0.0, 0.0], [-0.3, -0.4, 0.5, 0.0, -0.1]]
)
_BASE = -0.55
_NEWER_PROMPT = 0.25


@dataclass(frozen=True, slots=True)
class Distortion:
    """What the engine makes of the probability p of a reply: sigmoid(intercept + slope * logit(p))."""

    intercept: float = 0.5
    slope: float = 1.6

    def apply(self, probability: Floats) -> Floats:
        return _sigmoid(self.intercept + self.slope * _logit(probability))

    def undo(self, confidence: Floats) -> Floats:
        """The probability of a reply where the engine says `confidence`: the perfect calibration."""
        return _sigmoid((_logit(confidence) - self.intercept) / self.slope)


@dataclass(frozen=True, slots=True)
class WorldSettings:
    """How a world differs from the plain one, in which everything is recorded and nobody interferes.

    `traits` is the standard deviation, in log odds, of how readily customers reply. `greed` sharpens the logging policy
    towards what the engine thinks best (0: all alike), `exploring` is the share of choices that were random;
    the others have no propensity. `missing` is the share of replies never reported, `reported_late` of those reported
    days later, `late` of the silent customers who reply after the window, `impatient` of questions followed by another
    within the window, `unsent` of questions never sent, `sending_told` of those sent of which it was said so.
    """

    traits: float = 0.7
    turns: float = 4.0  # questions to a customer, on average
    weeks: int = 26
    greed: float = 1.0
    exploring: float = 1.0
    distortion: Distortion = Distortion()
    missing: float = 0.0
    reported_late: float = 0.02
    late: float = 0.06
    impatient: float = 0.0
    unsent: float = 0.0
    sending_told: float = 0.8
    promoted_in_week: int = 13


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What nobody in the world knows, row by row (n rows, A = len(ACTIONS)).

    `action` is the one taken; `propensities` (n x A) the probability of each, `chosen_at_random` whether they count.
    `expected` (n x A) is the probability of a reply inside the window for whom it is seen to be, on average over the
    traits that nobody sees; `probabilities` (n x A) the one of this very customer. `recorded` is the probability that
    the outcome of the action taken, once resolved, is positive: with what never gets reported.
    """

    action: Integers
    propensities: Floats
    chosen_at_random: NDArray[np.bool_]
    expected: Floats
    probabilities: Floats
    recorded: Floats

    @property
    def reply_probability(self) -> Floats:
        """Of each row's own action and customer."""
        own: Floats = self.probabilities[np.arange(len(self.action)), self.action]
        return own

    def value(self, policy: Floats) -> float:
        """The reply rate that choosing by `policy` (n x A, rows sum to 1) would have in these situations."""
        return float((policy * self.expected).sum(axis=1).mean())


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedWorld:
    """What was logged, the truth behind it, and what happened when: also after the world's end."""

    seed: int
    settings: WorldSettings
    facts: Facts
    truth: Truth
    happenings: Happenings

    @property
    def promoted_at(self) -> datetime:
        """When the second prompt took over."""
        return START + timedelta(weeks=self.settings.promoted_in_week)


def simulate(seed: int, conversations: int = 500, settings: WorldSettings | None = None) -> SimulatedWorld:
    """A world of so many customers. The same seed gives the same world; about `settings.turns` outcomes a customer."""
    told = settings or WorldSettings()
    chance = np.random.default_rng([20260105, seed])
    situations = _situations(chance, conversations, told)
    log_odds = _log_odds(situations)
    expected = _over_traits(log_odds, told.traits)
    propensities = _policy(expected, told.greed)
    action = _drawn(chance, propensities)
    probabilities = _sigmoid(log_odds + situations.trait[:, None])
    rows = np.arange(len(action))
    own = probabilities[rows, action]
    truth = Truth(
        action=action,
        propensities=propensities,
        chosen_at_random=chance.random(len(rows)) < told.exploring,
        expected=expected,
        probabilities=probabilities,
        recorded=own * (1 - told.missing),
    )
    found = happenings(chance, situations.customer, situations.asked_s, truth.reply_probability, told)
    columns = _logged(chance, situations, truth, told) | _later(found, told)
    end = START + timedelta(weeks=told.weeks)
    facts = Facts(TENANT, OutcomeType.EMAIL_ENGAGEMENT, end, columns, _resolved_until(found, told))
    return SimulatedWorld(seed, told, facts, truth, found)


@dataclass(frozen=True, slots=True, eq=False)
class _Situations:
    """Who is asked when: per row the customer, the seconds since START, and the codes of what is seen."""

    customer: Integers
    number: Integers
    asked_s: Floats
    trait: Floats
    seen: dict[str, Integers]
    newer_prompt: NDArray[np.bool_]


def _situations(chance: Generator, customers: int, told: WorldSettings) -> _Situations:
    length = told.weeks * 7 * 86_400.0
    count = 1 + chance.poisson(told.turns - 1, customers)
    customer = np.repeat(np.arange(customers), count)
    first = np.repeat(np.cumsum(count) - count, count)
    number = np.arange(len(customer)) - first
    gap = WINDOW_S + chance.exponential(2 * 86_400.0, len(customer))
    hurried = chance.random(len(customer)) < told.impatient
    gap = np.where(hurried, chance.uniform(1800.0, WINDOW_S, len(customer)), gap)
    gap = np.where(number == 0, 0.0, gap)
    total = np.cumsum(gap)
    begun = chance.uniform(0, length, customers)
    asked = np.round(begun[customer] + total - total[first])
    kept = asked < length - 60
    trait = told.traits * chance.standard_normal(customers)
    seen = {name: chance.choice(len(words), len(customer), p=share) for name, (words, share, _) in _SEEN.items()}
    for name in _STAYING:
        seen[name] = seen[name][first]
    return _Situations(
        customer=customer[kept],
        number=number[kept],
        asked_s=asked[kept],
        trait=trait[customer[kept]],
        seen={name: codes[kept] for name, codes in seen.items()},
        newer_prompt=asked[kept] >= told.promoted_in_week * 7 * 86_400.0,
    )


def _log_odds(situations: _Situations) -> Floats:
    """n x A, for a customer of average traits."""
    effects = sum(np.asarray(_SEEN[name][2])[codes] for name, codes in situations.seen.items())
    own = _TYPE_AT_DEPTH.T[situations.seen["pain_depth"]]  # n x question types
    how = _DELIVERY_WITH.T[situations.seen["engagement"]]  # n x deliveries
    base = _BASE + effects + _NEWER_PROMPT * situations.newer_prompt
    found: Floats = (base[:, None, None] + own[:, :, None] + how[:, None, :]).reshape(len(base), len(ACTIONS))
    return found


def _over_traits(log_odds: Floats, traits: float) -> Floats:
    """The mean of sigmoid(log odds + trait) over normal traits, by Gauss-Hermite quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(_QUADRATURE)
    parts = (weight * _sigmoid(log_odds + traits * node) for node, weight in zip(nodes, weights, strict=True))
    found: Floats = sum(parts, np.zeros_like(log_odds)) / weights.sum()
    return found


def _policy(expected: Floats, greed: float) -> Floats:
    """Softmax of what the engine expects, mixed with a tenth of pure chance so that nothing is impossible."""
    score = np.exp(8 * greed * (expected - expected.max(axis=1, keepdims=True)))
    found: Floats = 0.9 * score / score.sum(axis=1, keepdims=True) + 0.1 / expected.shape[1]
    return found


def _drawn(chance: Generator, probabilities: Floats) -> Integers:
    reached = np.cumsum(probabilities, axis=1)
    found: Integers = (chance.random(len(probabilities))[:, None] * reached[:, -1:] > reached).sum(axis=1)
    return found


def _logged(chance: Generator, situations: _Situations, truth: Truth, told: WorldSettings) -> dict[str, Any]:
    """The columns of the facts that are known when a question is recommended."""
    count = len(truth.action)
    seen = {name: _coded(codes, _SEEN[name][0]) for name, codes in situations.seen.items()}
    expected = truth.expected[np.arange(count), truth.action]
    propensity = truth.propensities[np.arange(count), truth.action]
    by_rules = chance.random(count) < 0.04
    return {
        "outcome_id": _numbered("sim-{:06d}", np.arange(count)),
        "conversation": _numbered("customer-{:05d}", situations.customer),
        "account": _numbered("account-{:05d}", situations.customer // 2),
        "contact": _numbered("contact-{:05d}", situations.customer),
        "action_type": _coded(truth.action // len(VossDelivery), [f"qbs_{kind}" for kind in QBSQuestionType]),
        "question_type": _coded(truth.action // len(VossDelivery), [*map(str, QBSQuestionType)]),
        "delivery": _coded(truth.action % len(VossDelivery), [*map(str, VossDelivery)]),
        "target": _coded(chance.integers(0, len(Dimension), count), [*map(str, Dimension)]),
        **seen,
        "analyzer": _coded(by_rules.astype(np.int64), ["llm", "rules"]),
        "model": _constant(count, MODEL),
        "prompt": _coded(situations.newer_prompt.astype(np.int64), PROMPTS),
        "fallback_reason": _coded(np.where(by_rules, 0, UNKNOWN), ["timeout"]),
        "calibration": Coded(np.full(count, UNKNOWN, np.int32), ()),
        "origin": _constant(count, "simulated"),
        "source": _constant(count, "simulated"),
        "interaction_count": (situations.number + 1).astype(np.float64),
        "turn": (2 * situations.number + 1).astype(np.float64),
        "confidence": np.round(told.distortion.apply(expected), 6),
        "calibrated_confidence": np.full(count, np.nan),
        "propensity": np.where(truth.chosen_at_random, propensity, np.nan),
        "choices": choices_of(ACTIONS, truth.propensities, truth.chosen_at_random),
        "recommended_at": _time(situations.asked_s),
        "closes_at": _time(situations.asked_s + WINDOW_S),
        "recorded_at": _time(situations.asked_s),
    }


def _later(found: Happenings, told: WorldSettings) -> dict[str, Any]:
    later = known_later(found, told.weeks * 7 * DAY_S)
    return later | {name: _time(later[name]) for name in ("happened_at", "replaced_at")}


def _resolved_until(found: Happenings, told: WorldSettings) -> datetime | None:
    """Up to where was looked when a window was found empty for the last time before the end."""
    looked = found.emptied_s[found.emptied_s <= told.weeks * 7 * DAY_S]
    return START + timedelta(seconds=float(looked.max()), microseconds=-1) if len(looked) else None


def _time(seconds: Floats) -> NDArray[np.datetime64]:
    """Seconds since START as times; NaN becomes NaT."""
    whole = np.where(np.isnan(seconds), 0, seconds * 1e6).astype("timedelta64[us]")
    found: NDArray[np.datetime64] = np.where(np.isnan(seconds), np.datetime64("NaT"), moment64(START) + whole)
    return found.astype("datetime64[us]")


def _coded(codes: Any, labels: Any) -> Coded:
    return Coded(np.asarray(codes, np.int32), tuple(labels))


def _constant(count: int, word: str) -> Coded:
    return Coded(np.zeros(count, np.int32), (word,))


def _numbered(pattern: str, numbers: Integers) -> Coded:
    known, codes = np.unique(numbers, return_inverse=True)
    return Coded(codes.astype(np.int32), tuple(pattern.format(number) for number in known.tolist()))


def _logit(probability: Floats) -> Floats:
    kept = np.clip(probability, 1e-9, 1 - 1e-9)
    found: Floats = np.log(kept / (1 - kept))
    return found


def _sigmoid(log_odds: Floats) -> Floats:
    found: Floats = 1 / (1 + np.exp(-log_odds))
    return found
