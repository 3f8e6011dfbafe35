"""The rules: the offline analyzer that reads a customer turn, and the fallback question from the state alone.

`analyze_by_rules` is the baseline that every model must beat and makes a replay work with no model at all;
`recommend_by_seed` answers in the place of a model that failed. Both are pure and deterministic; English only.
"""

from engine.rules.baseline import analyze_by_rules
from engine.rules.seed import recommend_by_seed

__all__ = ["analyze_by_rules", "recommend_by_seed"]
