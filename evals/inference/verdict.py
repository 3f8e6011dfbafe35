"""The verdict on one difference, in words: better, worse, tied, or not enough data."""

from __future__ import annotations

from enum import StrEnum

from evals.inference.intervals import Interval

SIGNIFICANT = 0.05


class Verdict(StrEnum):
    BETTER = "better"
    WORSE = "worse"
    TIED = "tied"
    NOT_ENOUGH_DATA = "not enough data"


def judge(
    gain: float,
    interval: Interval | None,
    p: float | None,
    *,
    margin: float,
    same_answers: bool,
    same_variant: bool,
) -> tuple[Verdict, str]:
    """The verdict and its reason. `gain` and `interval` count upwards for better, `p` is adjusted for the family.

    Tied means shown to be as good as equal, never merely not shown to differ: no turn was counted differently, or
    the whole interval lies within `margin`, a difference that nobody would act on (equivalence; D. L. Schuirmann,
    Journal of Pharmacokinetics and Biopharmaceutics 15 (1987), with the 95 % interval that is shown in place of his
    90 %). A difference that small is tied even if it is no luck. `same_variant` says that both sides are answers of
    one variant: then they are equal unless shown otherwise, since nothing but luck could part them.
    """
    if same_answers:
        return Verdict.TIED, "no turn was counted differently"
    if interval is not None and -margin <= interval[0] and interval[1] <= margin:
        return Verdict.TIED, f"the interval lies within ±{margin:.3g}"
    if p is not None and p < SIGNIFICANT and gain != 0:
        return (Verdict.BETTER if gain > 0 else Verdict.WORSE), f"adjusted p is {p:.2g}"
    if same_variant:
        return Verdict.TIED, "the same variant answered twice, and no more than luck parts its answers"
    return Verdict.NOT_ENOUGH_DATA, "neither a difference nor equality can be shown"
