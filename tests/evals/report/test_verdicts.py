"""What a comparison comes to, in words."""

from __future__ import annotations

import pytest

from evals.report.verdicts import families, headline, named, of_verdict
from tests.evals.report.rows import BETTER, OPEN, TIED, WORSE, comparison, row


@pytest.mark.parametrize(
    ("verdicts", "quality", "tone"),
    [
        ([BETTER, BETTER], "B against A, in 2 measures of quality: better in 2.", "better"),
        ([BETTER, WORSE], "B against A, in 2 measures of quality: better in 1, worse in 1.", "mixed"),
        ([TIED, TIED], "B against A, in 2 measures of quality: tied in 2.", "tied"),
        (
            [TIED, OPEN],
            "B against A, in 2 measures of quality: tied in 1, 1 cannot be told apart with this much data.",
            "open",
        ),
        ([WORSE, OPEN], None, "worse"),
    ],
)
def test_the_headline_counts_verdicts_on_quality(verdicts, quality, tone):
    names = ("extraction.f1", "question.type")
    rows = [row(name, 0.5, 0.7, verdict) for name, verdict in zip(names, verdicts, strict=True)]
    found = headline(comparison(*rows), "A", "B")
    assert found.tone == tone
    assert quality is None or found.quality == quality


def test_operations_and_breakdowns_are_no_measures_of_quality():
    found = headline(
        comparison(
            row("extraction.f1", 0.5, 0.5, TIED),
            row("extraction.budget.f1", 0.5, 0.9, BETTER),
            row("operations.tokens", 0.0, 900.0, WORSE),
        ),
        "A",
        "B",
    )
    assert found.counts[BETTER] == 0
    assert found.quality == "B against A, in 1 measure of quality: tied in 1."
    assert found.operations == "Operations: worse in Tokens, a conversation (+900)."


def test_what_only_one_run_has_counts_in_no_headline_and_is_still_in_its_family():
    only_one = row("question.type", 0.5, None)
    found = headline(comparison(only_one), "A", "B")
    assert "Nothing about the quality" in found.quality
    assert families([only_one, row("conduct.jargon", None, None)]) == {"Choosing the question": (only_one,)}


def test_a_long_list_names_the_surest_and_counts_the_rest():
    names = ("extraction.f1", "extraction.precision", "extraction.recall", "question.type")
    rows = [row(name, 0.5, 0.7, BETTER, holm=p) for name, p in zip(names, (0.03, 0.001, 0.002, 0.01), strict=True)]
    found = of_verdict(comparison(*rows), BETTER)
    assert [own.metric.name for own in found] == [names[1], names[2], names[3], names[0]]
    assert named(found).endswith("and 1 more")
