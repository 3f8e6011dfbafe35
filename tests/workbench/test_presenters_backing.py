"""The quote that is shown under a value is the one that backs it, and a doubt is worded by its reason."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from engine.model.analysis import GuardrailChange, GuardrailRule
from engine.model.qualification import Dimension, Evidence, Signal, qualification_from
from evals.records import TurnRecord
from tests.workbench.prepared import side
from workbench.presenters.backing import MACHINE, NO_QUOTE, backing, doubt_of
from workbench.presenters.sides import Side
from workbench.presenters.words import Word

RULES = side("rules")
EVIDENCE = (
    Evidence(quote="we have 40k for it", turn=1),
    Evidence(quote="finance signed it off", turn=3),
    Evidence(quote="as I said", turn=5),
)


def knowing(turn: int, signal: Signal, rules: Sequence[GuardrailRule] = ()) -> TurnRecord:
    """A record after which the budget is what the signal says."""
    record = RULES.records[turn]
    after = record.after.model_copy(update={"qualification": qualification_from({Dimension.BUDGET: signal})})
    changes = [GuardrailChange(rule=rule, subject="budget", before="", after="", reason="") for rule in rules]
    result = record.result.model_copy(update={"changes": tuple(changes)})
    return record.model_copy(update={"after": after, "result": result})


@pytest.mark.parametrize(
    ("values", "turn"),
    [
        (("40k", "40k", "40k"), 1),
        (("40k", "finance signed", "finance signed"), 3),
        (("about 40k in all, have it", "x", "a budget that we have for 40k"), 1),
        (("yes", "yes", "yes"), 1),
        (("no", "yes", "yes"), 3),
        (("no", "no", "yes"), 5),
        (("yes", "no", "yes"), 5),
    ],
)
def test_the_quote_is_the_one_that_says_the_value_or_else_was_there_when_it_was_set(
    values: tuple[str, ...], turn: int
) -> None:
    records = [
        knowing(at, Signal(value=value, confidence=0.6, evidence=EVIDENCE))
        for at, value in zip((1, 3, 5), values, strict=True)
    ]
    quote = backing(Side.of("a", "a-run", records), 5, Dimension.BUDGET)
    assert quote is not None
    assert quote.turn == turn


@pytest.mark.parametrize("turn", [5, 77])
def test_without_evidence_there_is_no_quote(turn: int) -> None:
    assert backing(Side.of("a", "a-run", [knowing(5, Signal(value="x"))]), turn, Dimension.BUDGET) is None


@pytest.mark.parametrize(
    ("grounded", "rules", "doubt"),
    [
        (True, (), None),
        (True, ("addresses_the_machine",), None),
        (False, ("addresses_the_machine",), MACHINE),
        (False, ("ungrounded_evidence",), NO_QUOTE),
        (False, ("jargon",), NO_QUOTE),
        (False, (), NO_QUOTE),
    ],
)
def test_a_doubt_is_worded_by_its_reason(grounded: bool, rules: tuple[GuardrailRule, ...], doubt: Word | None) -> None:
    signal = Signal(value="approved", confidence=0.4, grounded=grounded, evidence=EVIDENCE[:1])
    records = [knowing(1, signal, rules), knowing(3, signal)]
    assert doubt_of(Side.of("a", "a-run", records), 3, Dimension.BUDGET) is doubt
