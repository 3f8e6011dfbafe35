"""The ten dimensions heard in one turn, as signals with verbatim evidence and honest confidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from engine.model.qualification import (
    AnySignal,
    Dimension,
    Evidence,
    ListSignal,
    QualificationState,
    Signal,
    qualification_from,
)
from engine.rules.budget import find_budget
from engine.rules.buyers import find_authority, find_economic_buyer
from engine.rules.champion import find_champion
from engine.rules.criteria import find_decision_criteria
from engine.rules.heard import Finding, Heard, finding, strongest
from engine.rules.hedges import taken_back
from engine.rules.insights import key_insights
from engine.rules.metrics import find_metrics
from engine.rules.needs import find_need
from engine.rules.process import find_decision_process
from engine.rules.sentence import sentence_of, word_set
from engine.rules.timing import may_be_due, when

QUOTES_PER_TURN = 2
ENOUGH_QUOTES = 6
MOST_CRITERIA = 4
MOST_CONFIDENT = 0.98
STATED_CLEARLY = 0.75

_MAY_CHANGE = frozenset({Dimension.BUDGET, Dimension.TIMELINE})
_CHANGED = word_set("now instead moved changed actually correction new different later earlier anymore longer not")


def find_signals(heard: Heard) -> dict[Dimension, AnySignal]:
    """What the turn says about each dimension; dimensions it says nothing about are left out.

    A dimension that is known as surely and backed by `ENOUGH_QUOTES` is not quoted again, so that evidence stays
    readable and the cost of a turn does not grow with the conversation.
    """
    found: dict[Dimension, AnySignal] = {}
    for dimension, find in _FINDERS.items():
        findings = strongest(find(heard))
        if findings and _adds_something(heard, dimension, findings[0]):
            found[dimension] = _signal(heard, dimension, findings)
    return found


def qualification(heard: Heard, found: Mapping[Dimension, AnySignal], question: str) -> QualificationState:
    """The signals as the extraction of one turn, with what is worth noticing and the question to ask next."""
    return qualification_from(
        found,
        overall_confidence=sum(signal.confidence for signal in found.values()) / len(Dimension),
        key_insights=key_insights(heard, found),
        recommended_next_questions=(question,),
        last_updated=heard.turn.time if found else None,
    )


def _signal(heard: Heard, dimension: Dimension, findings: tuple[Finding, ...]) -> AnySignal:
    best = findings[0]
    if dimension is Dimension.DECISION_CRITERIA:
        kept = findings[:MOST_CRITERIA]
        return ListSignal(
            values=tuple(dict.fromkeys(item.value for item in kept)),
            confidence=_rounded(best.confidence),
            evidence=_evidence(heard, kept),
        )
    confidence = _replacing(heard, dimension, best) if dimension in _MAY_CHANGE else best.confidence
    evidence = _evidence(heard, findings[:QUOTES_PER_TURN])
    return Signal(value=best.value, confidence=_rounded(confidence), evidence=evidence)


def _replacing(heard: Heard, dimension: Dimension, best: Finding) -> float:
    """Confidence of a budget or date that changes one known before.

    The customer's last clear word counts: a statement as clear as `STATED_CLEARLY` that says it is a change, or that
    follows a withdrawal, is held a little surer than what it replaces, since a merge keeps the higher confidence.
    """
    known = heard.known[dimension]
    if not known.identified or known.value == best.value or best.confidence < STATED_CLEARLY:
        return best.confidence
    was_denied = (known.value or "").startswith(("withdrawn:", "none:"))
    if was_denied or best.value.startswith("withdrawn:") or _says_changed(best):
        return max(best.confidence, known.confidence + 0.01)
    return best.confidence


def _says_changed(best: Finding) -> bool:
    sentence = sentence_of(best.quote)
    return not sentence.words.isdisjoint(_CHANGED) or taken_back(sentence)


def _evidence(heard: Heard, findings: Iterable[Finding]) -> tuple[Evidence, ...]:
    quotes = dict.fromkeys(item.quote for item in findings)
    return tuple(Evidence(quote=quoted, turn=heard.turn.index) for quoted in quotes)


def _adds_something(heard: Heard, dimension: Dimension, best: Finding) -> bool:
    known = heard.known[dimension]
    return len(known.evidence) < ENOUGH_QUOTES or best.confidence > known.confidence


def _rounded(confidence: float) -> float:
    return round(min(MOST_CONFIDENT, max(0.05, confidence)), 2)


def _find_timeline(heard: Heard) -> Iterator[Finding]:
    asked = Dimension.TIMELINE in heard.asked
    for sentence in heard.sentences if asked else may_be_due(heard.sentences):
        found = when(sentence, asked=asked)
        if found is not None:
            yield finding(sentence, found.start, found.confidence)


def _find_pain(heard: Heard) -> Iterator[Finding]:
    for problem in heard.problems:
        if not problem.sentence.asks:
            yield finding(problem.sentence, problem.start, problem.confidence)


_FINDERS: dict[Dimension, Callable[[Heard], Iterator[Finding]]] = {
    Dimension.BUDGET: find_budget,
    Dimension.AUTHORITY: find_authority,
    Dimension.NEED: find_need,
    Dimension.TIMELINE: _find_timeline,
    Dimension.METRICS: find_metrics,
    Dimension.ECONOMIC_BUYER: find_economic_buyer,
    Dimension.DECISION_CRITERIA: find_decision_criteria,
    Dimension.DECISION_PROCESS: find_decision_process,
    Dimension.PAIN: _find_pain,
    Dimension.CHAMPION: find_champion,
}
