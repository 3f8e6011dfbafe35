"""How sure a run was of what it extracted, and how often its labels say that it was right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evals.learning.calibration.extraction import FALLBACK, ExtractionReading
from evals.learning.calibration.reliability import Bin
from workbench.presenters.calibration_table import Heading, Line, table
from workbench.presenters.calibration_words import p_value
from workbench.presenters.figures import percent
from workbench.presenters.words import DIMENSIONS, Word

SOURCES: Mapping[str, Word] = {
    "llm": Word("Model", "A model answered, asked at the time."),
    "recorded": Word("Recorded answers", "A model's answer, from a recording."),
    "rules": Word("Rules", "The rules were asked, and no model."),
    FALLBACK: Word("Fallback", "A model was asked and did not answer: the rules took its place."),
}
EXAMPLE = 0.8  # a confidence that people ask about
_HEADINGS = (
    Heading("Source and dimension", "Who extracted it, and what. Sources are never mixed.", words=True),
    Heading("Claims", "What it extracted from labelled turns. Below it the conversations that they are of."),
    Heading("Said", "Mean confidence."),
    Heading("Right", "How often the label names that dimension for that turn."),
    Heading("Said − right", "Above 0: too sure. Below it the 95 % interval, from resampling whole conversations."),
    Heading("ECE", "Mean distance of confidence and share, bin by bin.", narrow=True),
    Heading("A perfect engine's", "The ECE that a perfectly calibrated engine shows with as many claims, and the share "
            "of such engines that look at least as bad.", narrow=True),
)  # fmt: skip


def source_name(source: str) -> str:
    return SOURCES[source].name if source in SOURCES else source


def extraction_table(found: Sequence[ExtractionReading]) -> str:
    """Each source as a whole, and its dimensions below it."""
    return table(_HEADINGS, map(_line, found))


def sentence(found: ExtractionReading) -> str:
    """`Recorded answers: 87 % sure on average, and right 91 % of the time, in 412 claims. When it says about 80 %, it
    is right 78 % of the time (61 to 89 %).`
    """
    reading = found.reading
    said, right = _overall(reading.bins)
    head = f"{source_name(found.source)}: {percent(said)} sure on average, and right {percent(right)} of the time"
    head = f"{head}, in {reading.n:,} claims."
    about = next((own for own in reading.bins if own.lowest <= EXAMPLE <= own.highest), None)
    if about is None:
        return head
    between = f"{100 * about.low:.0f} to {percent(about.high)}"
    return f"{head} When it says about {percent(EXAMPLE)}, it is right {percent(about.share)} of the time ({between})."


def _line(found: ExtractionReading) -> Line:
    reading, gap = found.reading, found.reading.gap
    said, right = _overall(reading.bins)
    chance = reading.chance
    between = "" if gap.low is None or gap.high is None else f"{_points(gap.low)} to {_points(gap.high)}"
    whole = found.dimension is None
    name = source_name(found.source) if found.dimension is None else DIMENSIONS[found.dimension].name
    meaning = SOURCES[found.source].meaning if whole and found.source in SOURCES else ""
    return Line(
        [
            name,
            (f"{reading.n:,}", f"{reading.conversations:,} conv."),
            percent(said),
            percent(right),
            (_points(gap.value or 0.0), between),
            f"{100 * (reading.ece.value or 0.0):.1f} %",
            (f"{100 * chance.mean:.1f} %", f"p {p_value(chance.p)}"),
        ],
        meaning,
        "strong" if whole else "part",
    )


def _overall(bins: Sequence[Bin]) -> tuple[float, float]:
    n = sum(own.n for own in bins)
    return sum(own.confidence * own.n for own in bins) / n, sum(own.share * own.n for own in bins) / n


def _points(value: float) -> str:
    return f"{100 * value:+.1f}"
