"""The analysts' copy of what became of recommendations, and what others get of it.

store = OutcomeStore(home / "outcomes.duckdb")
facts = store.facts(tenant)                                  # one row per outcome, as columns
cells = store.cells(tenant, by=("question_type", "persona"))  # counts by any crossing
"""

from evals.learning.facts.filters import EVERYTHING, Filters
from evals.learning.facts.reading import Overview, Waits, Week
from evals.learning.facts.store import OutcomeStore
from evals.learning.facts.values import COLUMNS, DIMENSIONS, NUMBERS, TIMES, WORDS, Cell, Coded, Facts

__all__ = [
    "COLUMNS",
    "DIMENSIONS",
    "EVERYTHING",
    "NUMBERS",
    "TIMES",
    "WORDS",
    "Cell",
    "Coded",
    "Facts",
    "Filters",
    "OutcomeStore",
    "Overview",
    "Waits",
    "Week",
]
