"""What a comparison comes to, in words: how often better, worse, tied or open, and in what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from evals.compare import Comparison, Row
from evals.inference.verdict import Verdict
from evals.report import figures

FAMILIES: Mapping[str, str] = {
    "extraction": "Understanding the message",
    "known": "What is known of the deal",
    "question": "Choosing the question",
    "conduct": "Conduct",
    "expansion": "People in the account",
    "judged": "Judged by a model",
    "operations": "Operations",
}
# A shape beside the colour, so that neither has to be told apart by colour alone.
SHAPES: Mapping[Verdict, str] = {
    Verdict.BETTER: "▲",
    Verdict.WORSE: "▼",
    Verdict.TIED: "■",
    Verdict.NOT_ENOUGH_DATA: "○",
}
MEANINGS: Mapping[Verdict, str] = {
    Verdict.BETTER: "A difference this large would hardly come from luck, also after looking at many measures.",
    Verdict.WORSE: "A difference this large would hardly come from luck, also after looking at many measures.",
    Verdict.TIED: "Shown to be as good as equal: whatever the difference is, it is too small to act on.",
    Verdict.NOT_ENOUGH_DATA: "Neither a difference nor equality can be shown with this much data.",
}
Tone = Literal["better", "worse", "mixed", "tied", "open"]

_OPERATIONS = "operations"
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Headline:
    """One sentence on quality, one on operations ("" where nothing was measured), and the rows by verdict."""

    quality: str
    operations: str
    tone: Tone
    counts: Mapping[Verdict, int]


def family_of(row: Row) -> str:
    return row.metric.name.split(".", 1)[0]


def families(rows: Iterable[Row]) -> dict[str, tuple[Row, ...]]:
    """Rows by the title of their family, in the order of `FAMILIES`; those without data in either run are left out."""
    found: dict[str, list[Row]] = {name: [] for name in FAMILIES}
    for row in rows:
        if is_measured(row):
            found.setdefault(family_of(row), []).append(row)
    return {FAMILIES.get(name, name.capitalize()): tuple(own) for name, own in found.items() if own}


def is_measured(row: Row) -> bool:
    return row.first.value is not None or row.second.value is not None


def headline(comparison: Comparison, first: str, second: str) -> Headline:
    """What is said first: `second` against `first`, by the measures that are no breakdown of others."""
    rows = [row for row in comparison.rows if row.gain is not None and not row.metric.detail]
    quality = [row for row in rows if family_of(row) != _OPERATIONS]
    operations = [row for row in rows if family_of(row) == _OPERATIONS]
    counts = {verdict: sum(row.verdict is verdict for row in quality) for verdict in Verdict}
    return Headline(
        quality=_quality(counts, quality, first, second),
        operations=_operations(operations),
        tone=_tone(counts),
        counts=counts,
    )


def _tone(counts: Mapping[Verdict, int]) -> Tone:
    better, worse = counts[Verdict.BETTER], counts[Verdict.WORSE]
    if better or worse:
        return "mixed" if better and worse else "better" if better else "worse"
    return "tied" if counts[Verdict.TIED] and not counts[Verdict.NOT_ENOUGH_DATA] else "open"


def _quality(counts: Mapping[Verdict, int], rows: list[Row], first: str, second: str) -> str:
    if not rows:
        return f"Nothing about the quality of {second} and {first} could be measured on the same turns."
    parts = [f"{word} in {counts[verdict]}" for verdict, word in _WORDS.items() if counts[verdict]]
    if open_ := counts[Verdict.NOT_ENOUGH_DATA]:
        parts.append(f"{open_} cannot be told apart with this much data")
    measures = f"{len(rows)} measure{'s' if len(rows) > 1 else ''} of quality"
    return f"{second} against {first}, in {measures}: {', '.join(parts)}."


_WORDS = {Verdict.BETTER: "better", Verdict.WORSE: "worse", Verdict.TIED: "tied"}


def _operations(rows: list[Row]) -> str:
    parts = []
    for verdict in (Verdict.BETTER, Verdict.WORSE):
        own = [row for row in rows if row.verdict is verdict]
        if own:
            parts.append(f"{verdict} in {named(own)}")
    return f"Operations: {'; '.join(parts)}." if parts else ""


def named(rows: list[Row]) -> str:
    """The rows with the largest differences first: `Dimensions, F1 (+12.3 pts)`, and how many more there are."""
    shown = [f"{row.metric.title} ({figures.difference(row.difference.value, row.metric.unit)})" for row in rows]
    more = len(shown) - _MOST_NAMED
    return "; ".join(shown[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def of_verdict(comparison: Comparison, verdict: Verdict, *, operations: bool = False) -> list[Row]:
    """The measured rows with this verdict that are no details, the surest first."""
    rows = [
        row
        for row in comparison.rows
        if row.verdict is verdict
        and is_measured(row)
        and not row.metric.detail
        and (family_of(row) == _OPERATIONS) is operations
    ]
    return sorted(rows, key=lambda row: 1.0 if row.holm is None else row.holm)
