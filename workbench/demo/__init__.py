"""The guided demo: what it is made of, preparing it, the figures that it shows, and back to the start."""

from workbench.demo.cast import AUTHOR, DATASET, LABEL, TENANT, Candidate, candidate, covered
from workbench.demo.facts import DemoFacts, Telling, gather
from workbench.demo.preparing import Prepared, fit, is_prepared, prepare, prepared
from workbench.demo.resetting import Reset, check_may_reset, reset, rows_to_go

__all__ = [
    "AUTHOR",
    "DATASET",
    "LABEL",
    "TENANT",
    "Candidate",
    "DemoFacts",
    "Prepared",
    "Reset",
    "Telling",
    "candidate",
    "check_may_reset",
    "covered",
    "fit",
    "gather",
    "is_prepared",
    "prepare",
    "prepared",
    "reset",
    "rows_to_go",
]
