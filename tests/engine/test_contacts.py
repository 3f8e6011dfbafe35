"""Who was mentioned is remembered, within bounds, and nobody twice."""

from __future__ import annotations

from engine.contacts import MAX_ENTRIES, archive_contacted, known_contacts, open_contacts, remember
from engine.memory import put
from engine.model.qbs import ExpansionState, ExpansionTrigger
from tests.engine.values import state


def trigger(name: str, **fields: str) -> ExpansionTrigger:
    return ExpansionTrigger(mentioned_name_or_role=name, **fields)


def names(expansion: ExpansionState) -> list[str]:
    return [entry.trigger.mentioned_name_or_role for entry in expansion.entries]


def test_the_newest_are_kept_and_the_others_counted() -> None:
    expansion = ExpansionState()
    for number in range(MAX_ENTRIES + 3):
        expansion = remember(expansion, [trigger(f"Person{chr(97 + number)}")], number)
    assert len(expansion.entries) == MAX_ENTRIES
    assert names(expansion)[-1] == "Personw"
    assert expansion.dropped == 3


def test_somebody_mentioned_again_moves_to_the_end_and_is_counted() -> None:
    expansion = remember(ExpansionState(), [trigger("the CFO"), trigger("Ines Moreau")], 0)
    again = remember(expansion, [trigger("our CFO")], 4)
    assert names(again) == ["Ines Moreau", "the CFO"]
    assert (again.entries[-1].mentions, again.entries[-1].first_seen, again.entries[-1].last_seen) == (2, 0, 4)


def test_somebody_contacted_is_kept_but_no_longer_open() -> None:
    expansion = archive_contacted(remember(ExpansionState(), [trigger("the CFO"), trigger("Ines Moreau")], 0), "CFO")
    assert names(expansion) == ["the CFO", "Ines Moreau"]
    remaining = open_contacts(put(state(), expansion=expansion))
    assert [entry.trigger.mentioned_name_or_role for entry in remaining] == ["Ines Moreau"]


def test_somebody_contacted_is_known() -> None:
    expansion = archive_contacted(remember(ExpansionState(), [trigger("the CFO"), trigger("Ines Moreau")], 0), "CFO")
    assert known_contacts(put(state(), expansion=expansion)) == ("Ida Holm", "the CFO")


def test_a_long_name_is_one_entry_however_often_it_comes_up() -> None:
    long = "Yusuf Erdem (General Counsel of the whole of the European business and its many subsidiaries abroad)"
    assert len(remember(ExpansionState(), [trigger(long)] * 3, 0).entries) == 1


def test_long_texts_are_cut_at_a_word_and_the_quote_stays_verbatim() -> None:
    long = "They would have to sign the whole thing off before anybody moves a finger in this house. " * 5
    (entry,) = remember(ExpansionState(), [trigger("Ines", context_quote=long, expansion_approach=long)], 0).entries
    assert entry.trigger.context_quote in long
    assert entry.trigger.expansion_approach.endswith("…")
    assert entry.trigger.expansion_approach[:-1] in long
    assert max(len(entry.trigger.context_quote), len(entry.trigger.expansion_approach)) <= 161
