"""Confidence-based merge of what was known with what was found. Pure; merging the same twice changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TypeVar

from pydantic import AwareDatetime

from engine.model.qualification import (
    BANT_DIMENSIONS,
    MEDDIC_DIMENSIONS,
    AnySignal,
    BANTSignals,
    Dimension,
    Evidence,
    ListSignal,
    MEDDICSignals,
    QualificationState,
    Signal,
)

SignalsT = TypeVar("SignalsT", BANTSignals, MEDDICSignals)


def merge_bant_signals(current: BANTSignals, found: BANTSignals) -> BANTSignals:
    """The four BANT dimensions, each merged with `merge_signal`."""
    merged = {d.field: merge_signal(getattr(current, d.field), getattr(found, d.field)) for d in BANT_DIMENSIONS}
    return _replaced(current, merged)


def merge_meddic_signals(current: MEDDICSignals, found: MEDDICSignals) -> MEDDICSignals:
    """The six MEDDIC dimensions; decision criteria are extended, the others merged with `merge_signal`."""
    single = (d for d in MEDDIC_DIMENSIONS if d is not Dimension.DECISION_CRITERIA)
    merged = {d.field: merge_signal(getattr(current, d.field), getattr(found, d.field)) for d in single}
    criteria = extend_signal(current.decision_criteria, found.decision_criteria)
    return _replaced(current, {**merged, Dimension.DECISION_CRITERIA.field: criteria})


def merge_qualification_signals(current: QualificationState, found: QualificationState) -> QualificationState:
    """Everything known so far, merged with everything that one extraction found.

    Key insights are added without doubles, recommended next questions replaced when the extraction brings any.
    `overall_confidence` is the mean confidence over all ten dimensions (unidentified ones count 0), so that,
    like each confidence, it never falls.
    """
    bant = merge_bant_signals(current.bant, found.bant)
    meddic = merge_meddic_signals(current.meddic, found.meddic)
    return QualificationState(
        bant=bant,
        meddic=meddic,
        overall_confidence=_mean_confidence(bant, meddic),
        key_insights=without_doubles((*current.key_insights, *found.key_insights)),
        recommended_next_questions=found.recommended_next_questions or current.recommended_next_questions,
        last_updated=_later(current, found),
    )


def merge_signal(current: Signal, found: Signal) -> Signal:
    """Identified beats unidentified, then the higher confidence wins, and a tie keeps what is there.

    Value, confidence and groundedness come from the winner together; the evidence is that of both.
    """
    if not (found.identified or found.evidence):
        return current
    wins = found.identified and (not current.identified or found.confidence > current.confidence)
    winner = found if wins else current
    evidence = merge_evidence(current.evidence, found.evidence)
    return winner if evidence == winner.evidence else winner.model_copy(update={"evidence": evidence})


def extend_signal(current: ListSignal, found: ListSignal) -> ListSignal:
    """The values of both, in the order in which they came up; confidence is the higher of the two.

    Values without grounds never join those that have them, and give way to them: the evidence alone is kept.
    """
    if not (found.identified or found.evidence):
        return current
    evidence = merge_evidence(current.evidence, found.evidence)
    wins = found.identified and (not current.identified or found.confidence > current.confidence)
    if not found.identified or (current.identified and current.grounded and not found.grounded):
        return current if evidence == current.evidence else current.model_copy(update={"evidence": evidence})
    kept = current.values if current.grounded or not found.grounded else ()
    return ListSignal(
        values=without_doubles((*kept, *found.values)),
        confidence=found.confidence if wins else current.confidence,
        evidence=evidence,
        grounded=found.grounded,
    )


def _replaced(signals: SignalsT, merged: Mapping[str, AnySignal]) -> SignalsT:
    """The signals with those replaced that changed; the same object if none did."""
    changed = {field: signal for field, signal in merged.items() if signal is not getattr(signals, field)}
    return signals.model_copy(update=changed) if changed else signals


def merge_evidence(current: tuple[Evidence, ...], found: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """Evidence only grows: new quotes are appended, the same quote (spacing and case aside) never twice."""
    if not found:
        return current
    known = {_folded(evidence.quote) for evidence in current}
    added = []
    for evidence in found:
        if (folded := _folded(evidence.quote)) not in known:
            known.add(folded)
            added.append(evidence)
    return (*current, *added) if added else current


def joined_evidence(evidence: Iterable[Evidence]) -> str:
    """The quotes as they are shown and exported."""
    return " | ".join(item.quote for item in evidence)


def without_doubles(texts: Iterable[str]) -> tuple[str, ...]:
    """The texts in order, without those that differ from an earlier one only in case and spacing."""
    first: dict[str, str] = {}
    for text in texts:
        first.setdefault(_folded(text), text)
    return tuple(first.values())


@lru_cache(maxsize=4096)
def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _mean_confidence(bant: BANTSignals, meddic: MEDDICSignals) -> float:
    signals = [getattr(bant, d.field) for d in BANT_DIMENSIONS] + [getattr(meddic, d.field) for d in MEDDIC_DIMENSIONS]
    return float(sum(signal.confidence for signal in signals if signal.identified)) / len(signals)


def _later(current: QualificationState, found: QualificationState) -> AwareDatetime | None:
    times = [time for time in (current.last_updated, found.last_updated) if time is not None]
    return max(times, default=None)
