"""A comparison as a one-page report that opens without a network: what was found, how, and in which turns."""

from evals.report.content import Report, ReportedRun, ReportedTurn
from evals.report.page import render

__all__ = ["Report", "ReportedRun", "ReportedTurn", "render"]
