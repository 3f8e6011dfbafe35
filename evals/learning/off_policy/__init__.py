"""What another way of choosing questions would have done, from outcomes of questions that were chosen at random.

found = what_if(facts, policy_named("always:impact"))
found.refusal or found.estimates.doubly_robust
"""

from evals.learning.off_policy.answer import Refusal, RefusalReason, WhatIf, answer, what_if
from evals.learning.off_policy.estimators import Estimates, estimates
from evals.learning.off_policy.log import COLUMNS, ChoiceLog, LeftOut, choice_log
from evals.learning.off_policy.overlap import Overlap, WeightBin
from evals.learning.off_policy.policies import Always, Policy, Prefer, Recommended, Rule, Table, policy_named

__all__ = [
    "COLUMNS",
    "Always",
    "ChoiceLog",
    "Estimates",
    "LeftOut",
    "Overlap",
    "Policy",
    "Prefer",
    "Recommended",
    "Refusal",
    "RefusalReason",
    "Rule",
    "Table",
    "WeightBin",
    "WhatIf",
    "answer",
    "choice_log",
    "estimates",
    "policy_named",
    "what_if",
]
