"""Ways to merge what was known with what was found, to be tried over finished runs. Pure.

They differ in whose value a single dimension keeps. Evidence is always that of both; lists, which only grow, key
insights and recommended next questions are merged as the engine merges them. Merging the same twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.advance import Merge
from engine.merge import merge_qualification_signals
from engine.model.qualification import AnySignal, QualificationState, Signal, qualification_from
from evals.errors import unknown

CONFIDENCE = "confidence"
DOUBTFUL = 0.2  # how much less sure a newer claim may be and still replace an older one
MENTIONS = 2

_Settle = Callable[[Signal, Signal, Signal], Signal]  # known, found, and what the engine's own merge makes of both


def latest(known: Signal, found: Signal, merged: Signal) -> Signal:
    """The newest claim wins, however sure it is: people correct themselves.

    Only a claim without grounds does not replace one that has them.
    """
    groundless = known.identified and known.grounded and not found.grounded
    return _holding(found if found.identified and not groundless else known, merged)


def latest_unless_doubtful(known: Signal, found: Signal, merged: Signal) -> Signal:
    """The newest claim wins, unless it is less sure than what is known by more than 0.2."""
    if known.identified and found.confidence < known.confidence - DOUBTFUL:
        return _holding(known, merged)
    return latest(known, found, merged)


def first(known: Signal, found: Signal, merged: Signal) -> Signal:
    """What was heard first stays: the cautious reader of a conversation in which little is corrected."""
    return _holding(known if known.identified else found, merged)


def two_mentions(known: Signal, found: Signal, merged: Signal) -> Signal:
    """Confidence wins, but a dimension only counts once two turns have spoken of it. Until then its quotes are kept."""
    turns = {item.turn for item in merged.evidence}
    return merged if len(turns) >= MENTIONS else Signal(evidence=merged.evidence)


def _holding(winner: Signal, merged: Signal) -> Signal:
    """The winner with the evidence of both."""
    return winner.model_copy(update={"evidence": merged.evidence})


def _merge_by(settle: _Settle) -> Merge:
    def merge(current: QualificationState, found: QualificationState) -> QualificationState:
        own = merge_qualification_signals(current, found)
        signals = {
            dimension: _settled(settle, current.signal(dimension), found.signal(dimension), own.signal(dimension))
            for dimension in own.signals
        }
        confidences = [signal.confidence for signal in signals.values() if signal.identified]
        settled = qualification_from(signals)
        return own.model_copy(
            update={
                "bant": settled.bant,
                "meddic": settled.meddic,
                "overall_confidence": float(sum(confidences)) / len(signals),
            }
        )

    return merge


def _settled(settle: _Settle, known: AnySignal, found: AnySignal, merged: AnySignal) -> AnySignal:
    """Only single dimensions that the new extraction speaks of are settled anew."""
    if not (isinstance(known, Signal) and isinstance(found, Signal) and isinstance(merged, Signal)):
        return merged
    return settle(known, found, merged) if found.identified or found.evidence else merged


def policies() -> dict[str, Merge]:
    """Every policy by its name; `confidence` is the engine's own."""
    return {
        CONFIDENCE: merge_qualification_signals,
        "latest": _merge_by(latest),
        "latest-unless-doubtful": _merge_by(latest_unless_doubtful),
        "first": _merge_by(first),
        "two-mentions": _merge_by(two_mentions),
    }


MEANINGS = {
    CONFIDENCE: "the surer claim wins, a tie keeps what is there: what the engine does",
    "latest": "the newest claim wins, however sure it is",
    "latest-unless-doubtful": "the newest claim wins, unless it is less sure by more than 0.2",
    "first": "what was heard first stays",
    "two-mentions": "as confidence, once two turns have spoken of a dimension",
}


def find_policy(name: str) -> Merge:
    """Raises InputError, which names similar ones, if there is none of that name."""
    known = policies()
    if name not in known:
        raise unknown("merge policy", name, known)
    return known[name]
