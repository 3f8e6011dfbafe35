"""Whether the right people were noticed, nobody known among them, and nobody asked for too soon."""

from __future__ import annotations

from collections.abc import Sequence

from engine.contacts import TRUST_AFTER_INTERACTIONS, known_contacts
from engine.model.qbs import Urgency
from engine.people import same_person
from evals.metrics.formulas import f1, precision, ratio, recall
from evals.metrics.judged import JudgedTurn
from evals.metrics.metric import FIVE_POINTS, NONE_AT_ALL, Counted, Metric, Tally


def matched(first: Sequence[str], second: Sequence[str]) -> int:
    """How many mentions of `first` have a counterpart of their own in `second`."""
    left, pairs = list(second), 0
    for mention in first:
        counterpart = next((other for other in left if same_person(mention, other)), None)
        if counterpart is not None:
            left.remove(counterpart)
            pairs += 1
    return pairs


def _mentioned(turn: JudgedTurn) -> list[str]:
    return [trigger.mentioned_name_or_role for trigger in turn.used.expansion.triggers]


def _people(turn: JudgedTurn) -> Counted | None:
    if turn.label is None:
        return None
    reported, labelled = _mentioned(turn), [person.mention for person in turn.label.people]
    tp = matched(reported, labelled)
    counts = {"tp": tp, "fp": len(reported) - tp, "fn": len(labelled) - tp}
    return counts if any(counts.values()) else {}


def _reports(turn: JudgedTurn) -> Counted | None:
    """Every report of a person, and those that should not have been."""
    triggers = turn.used.expansion.triggers
    if not triggers:
        return {}
    before = turn.record.before
    known = known_contacts(before)
    immediate = sum(trigger.urgency is Urgency.IMMEDIATE for trigger in triggers)
    return {
        "n": len(triggers),
        "too_soon": immediate if before.interaction_count < TRUST_AFTER_INTERACTIONS else 0,
        "known": sum(any(same_person(name, contact) for contact in known) for name in _mentioned(turn)),
    }


PEOPLE = Tally(name="expansion.people", parts=("tp", "fp", "fn"), answer="expansion", observe=_people)
REPORTS = Tally(name="expansion.reports", parts=("n", "too_soon", "known"), answer="expansion", observe=_reports)

PRECISION = Metric(
    name="expansion.precision",
    title="People, precision",
    direction="higher",
    unit="share",
    formula="people reported who were mentioned / people reported",
    source="labels.jsonl, people; engine.people.same_person",
    tally=PEOPLE,
    value=precision(),
    margin=FIVE_POINTS,
)
RECALL = Metric(
    name="expansion.recall",
    title="People, recall",
    direction="higher",
    unit="share",
    formula="people reported who were mentioned / people mentioned",
    source="labels.jsonl, people; engine.people.same_person",
    tally=PEOPLE,
    value=recall(),
    margin=FIVE_POINTS,
)
F1 = Metric(
    name="expansion.f1",
    title="People, F1",
    direction="higher",
    unit="share",
    formula="2 tp / (2 tp + fp + fn)",
    source="labels.jsonl, people; engine.people.same_person",
    tally=PEOPLE,
    value=f1(),
    margin=FIVE_POINTS,
    detail=True,
)
WRONG_URGENCY = Metric(
    name="expansion.wrong_urgency",
    title="Introductions asked for too soon",
    direction="lower",
    unit="share",
    formula=f"reports marked immediate before interaction {TRUST_AFTER_INTERACTIONS} / reports; must be 0",
    source="engine.contacts",
    tally=REPORTS,
    value=ratio("too_soon", "n"),
    margin=NONE_AT_ALL,
)
KNOWN_AGAIN = Metric(
    name="expansion.known_again",
    title="Known contacts reported again",
    direction="lower",
    unit="share",
    formula="reports of the contact or of somebody known before / reports; must be 0",
    source="engine.contacts; engine.people.same_person",
    tally=REPORTS,
    value=ratio("known", "n"),
    margin=NONE_AT_ALL,
)

METRICS = (PRECISION, RECALL, F1, WRONG_URGENCY, KNOWN_AGAIN)
