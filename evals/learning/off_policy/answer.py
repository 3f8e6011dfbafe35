"""What if we had asked otherwise? An answer with its intervals, or a refusal that says why the log cannot tell.

A log answers only for what it could have done itself. Where it could not, a figure would be the model's opinion in
the clothes of a measurement, so there is none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from evals.learning.facts import Facts
from evals.learning.off_policy.estimators import Estimates, estimates
from evals.learning.off_policy.log import PARTS, ChoiceLog, LeftOut, choice_log
from evals.learning.off_policy.overlap import Overlap, overlap
from evals.learning.off_policy.policies import Policy, unmatched

MIN_OUTCOMES = 100
MIN_CONVERSATIONS = 30
MIN_EFFECTIVE = 50.0  # outcomes, and as many conversations by MIN_CONVERSATIONS, that the weights leave
MAX_OUTSIDE = 0.05  # share of the policy's choices that the log could not have made
TOLERATED = 0.1  # how far the mean weight may be from 1 where nobody wrote down what else could have been chosen
BLATANT = 4.0  # standard errors from what it must be, where that is known


class RefusalReason(StrEnum):
    NO_PROPENSITIES = "no_propensities"  # nothing says how probable a question was
    DETERMINISTIC = "deterministic"  # nothing was left to chance
    TOO_FEW = "too_few"  # outcomes or conversations
    NOT_TOLD_APART = "not_told_apart"  # the policy speaks of something that was not chosen at random
    NO_RECOMMENDATIONS = "no_recommendations"  # the policy says nothing of these turns
    OUTSIDE = "outside"  # it would have asked what the log could not have asked
    THIN = "thin"  # the outcomes that count are too few
    UNSURE_SUPPORT = "unsure_support"  # nobody wrote down what else there was, and the weights do not show it
    CONTRADICTION = "contradiction"  # what was asked does not go with the probabilities that were written down


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no answer, in words, and what would help."""

    reason: RefusalReason
    why: str
    remedy: str


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What another way of choosing would have done. Exactly one of `estimates` and `refusal` is there.

    `overlap` is None where the refusal came before there was anything to compare. `simulated`: at least some of the
    outcomes are of a simulated world.
    """

    policy: str
    left_out: LeftOut
    outcomes: int
    conversations: int
    overlap: Overlap | None = None
    estimates: Estimates | None = None
    refusal: Refusal | None = None
    simulated: bool = False


def what_if(facts: Facts, policy: Policy) -> WhatIf:
    """The reply rate of these outcomes' turns under `policy`, or why it cannot be told. Facts need `log.COLUMNS`.

    Raises InputError for a policy that cannot be applied to such a log.
    """
    simulated = bool(facts.words("origin").equals("simulated").any())
    return replace(answer(choice_log(facts), policy), simulated=simulated)


def answer(log: ChoiceLog, policy: Policy) -> WhatIf:
    """The same from a log of choices."""
    if (early := _nothing_to_learn(log) or _not_told_apart(log, policy)) is not None:
        return _refused(log, policy, early)
    coarse = log.coarse(policy.parts)
    matched, shares = unmatched(coarse, policy.shares(coarse))
    if (missing := _too_few(matched, policy)) is not None:
        return _refused(matched, policy, missing)
    found = overlap(matched, shares)
    refusal = _deterministic(matched) or _cannot_tell(matched, found)
    return WhatIf(
        policy=policy.name,
        left_out=matched.left_out,
        outcomes=len(matched),
        conversations=matched.conversations,
        overlap=found,
        estimates=None if refusal else estimates(matched, shares),
        refusal=refusal,
    )


def _refused(log: ChoiceLog, policy: Policy, refusal: Refusal) -> WhatIf:
    return WhatIf(policy.name, log.left_out, len(log), log.conversations, refusal=refusal)


def _nothing_to_learn(log: ChoiceLog) -> Refusal | None:
    if not len(log) and log.left_out.no_propensity:
        return Refusal(
            RefusalReason.NO_PROPENSITIES,
            f"none of the {log.left_out.no_propensity:,} resolved outcomes says how probable its question was, so that "
            "what was asked cannot be told from whom it was asked",
            "Let the live engine choose some questions at random (QBS_EXPLORATION), or import outcomes with a "
            "propensity.",
        )
    return _deterministic(log) or _few(log)


def _deterministic(log: ChoiceLog) -> Refusal | None:
    if not len(log) or not log.is_deterministic:
        return None
    return Refusal(
        RefusalReason.DETERMINISTIC,
        f"all {len(log):,} questions were certain to be asked as they were: nothing was left to chance",
        "Let the live engine choose some questions at random (QBS_EXPLORATION).",
    )


def _few(log: ChoiceLog) -> Refusal | None:
    if len(log) >= MIN_OUTCOMES and log.conversations >= MIN_CONVERSATIONS:
        return None
    return Refusal(
        RefusalReason.TOO_FEW,
        f"{len(log):,} resolved outcomes with a propensity in {log.conversations:,} conversations are too few; it "
        f"takes {MIN_OUTCOMES} in {MIN_CONVERSATIONS}",
        "Wait for more outcomes, or widen the filter.",
    )


def _not_told_apart(log: ChoiceLog, policy: Policy) -> Refusal | None:
    unknown = [part for part in policy.parts if part not in log.parts]
    if not unknown:
        return None
    return Refusal(
        RefusalReason.NOT_TOLD_APART,
        f"the policy speaks of the {_words(unknown)}, which was not chosen at random in these outcomes",
        f"Ask for a policy that speaks of {_words([part for part in PARTS if part in log.parts])} alone.",
    )


def _too_few(log: ChoiceLog, policy: Policy) -> Refusal | None:
    if not log.left_out.unmatched or _few(log) is None:
        return _few(log)
    return Refusal(
        RefusalReason.NO_RECOMMENDATIONS,
        f"{policy.name} says what it would have asked at only {len(log):,} turns with an outcome, in "
        f"{log.conversations:,} conversations; it takes {MIN_OUTCOMES} in {MIN_CONVERSATIONS}",
        "Replay the conversations that these outcomes come from, under the ids that the outcomes have.",
    )


def _cannot_tell(log: ChoiceLog, found: Overlap) -> Refusal | None:
    return _outside(found) or _thin(found) or (_contradicted(found) if log.offered is not None else _unsure(found))


def _outside(found: Overlap) -> Refusal | None:
    if found.outside is None or found.outside <= MAX_OUTSIDE:
        return None
    return Refusal(
        RefusalReason.OUTSIDE,
        f"{100 * found.outside:.0f} % of what it would have asked could not have been asked at those turns, so nobody "
        f"knows what would have come of it; at most {100 * MAX_OUTSIDE:.0f} % may be",
        "Ask what would have come of it where it could have been asked, with prefer: in the place of always:.",
    )


def _thin(found: Overlap) -> Refusal | None:
    if found.effective >= MIN_EFFECTIVE and found.effective_conversations >= MIN_CONVERSATIONS:
        return None
    return Refusal(
        RefusalReason.THIN,
        f"it asks so differently that {found.outcomes:,} outcomes say as much as {found.effective:.0f} would (as "
        f"{found.effective_conversations:.0f} conversations); it takes {MIN_EFFECTIVE:.0f} (and {MIN_CONVERSATIONS})",
        "Wait for more outcomes, explore more, or ask for something that is closer to what was asked.",
    )


def _unsure(found: Overlap) -> Refusal | None:
    """The mean weight shows that everything the policy would ask was possible, if it surely is near 1."""
    low, high = found.mean_weight_low, found.mean_weight_high
    if low is not None and high is not None and low >= 1 - TOLERATED and high <= 1 + TOLERATED:
        return None
    if low is not None and low > 1 + TOLERATED:
        return Refusal(
            RefusalReason.CONTRADICTION,
            f"the weights average {found.mean_weight:.2f}, and cannot average more than 1: the propensities are not of "
            "what the policy speaks of, but of something finer, or they are wrong",
            "Ask for a policy that names everything that was chosen at random, such as always:impact+label; or import "
            "outcomes that say what their question was chosen from.",
        )
    between = "unknown" if low is None or high is None else f"between {low:.2f} and {high:.2f}"
    return Refusal(
        RefusalReason.UNSURE_SUPPORT,
        "nobody wrote down what else could have been asked, and the weights do not show that it was possible "
        f"everywhere: their mean is {between}, and would have to be between {1 - TOLERATED:g} and {1 + TOLERATED:g}",
        "Outcomes that say what their question was chosen from (as the live engine records it) can tell; or wait for "
        "more of them.",
    )


def _contradicted(found: Overlap) -> Refusal | None:
    """The mean weight has to be the share of choices inside the log; far from it, the probabilities are wrong."""
    if found.mean_weight_low is None or found.mean_weight_high is None or found.outside is None:
        return None
    reach = (found.mean_weight_high - found.mean_weight_low) / 2 * (BLATANT / 1.96)
    if abs(found.mean_weight - (1 - found.outside)) <= max(reach, 1e-6):
        return None
    return Refusal(
        RefusalReason.CONTRADICTION,
        f"the weights average {found.mean_weight:.2f}, which would be {1 - found.outside:.2f} if questions had been "
        "chosen with the probabilities that were written down",
        "Look at what wrote the propensities: were they of what was really asked?",
    )


def _words(parts: list[str]) -> str:
    return " and ".join(part.replace("_", " ") for part in parts) or "nothing"
