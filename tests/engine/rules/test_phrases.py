"""Phrases are written as people say them and found as people say them."""

from __future__ import annotations

import pytest

from engine.rules.hearing import phrase_index
from engine.rules.phrases import PhraseIndex, Phrases, holding
from engine.rules.sentence import sentence_of

FOUND = [
    ("budget", "There is no budget.", "budget"),
    ("budget", "We budgeted nothing.", None),
    ("budget*", "We budgeted nothing.", "budgeted"),
    ("challeng*/problem", "A challenging week.", "challenging"),
    ("set_aside", "We set aside 50k.", "set aside"),
    ("no need for/of", "There is no need of it.", "no need of"),
    ("no need for/of", "There is no need.", None),
    ("don't need", "We dont need it.", "dont need"),
    ("don't need", "We don’t need it.", "don't need"),
    ("cost/costs [*] money", "It costs us money.", "costs us money"),
    ("cost/costs [*] money", "It costs money.", "costs money"),
    ("cost/costs [*] money", "It costs us all money.", None),
    ("find ** out", "How do they find it all out now?", "find it all out"),
    ("lost ... customer", "We lost, after a year, a customer.", "lost, after a year, a customer"),
    ("lost ... customer", "We lost. A customer left.", None),
    ("above #", "Above $250k it goes up.", "above $250k"),
    ("above #", "Above all it is late.", None),
    ("have to ~run/go", "We have to run.", None),
    ("have to ~run/go", "We have to decide.", "have to"),
    ("^by the way", "By the way, who signs?", "by the way"),
    ("^by the way", "We met by the way side.", None),
    ("would have *ed", "I would have helped.", "would have helped"),
    ("late | overdue\nslow", "It is slow.", "slow"),
    ("late", "It was translated lately.", None),
]


@pytest.mark.parametrize(("phrases", "said", "expected"), FOUND)
def test_a_phrase_is_found_as_it_is_said(phrases: str, said: str, expected: str | None) -> None:
    found = Phrases(phrases).find(sentence_of(said))
    assert (found.group() if found else None) == expected
    assert Phrases(phrases).are_in(sentence_of(said)) is (expected is not None)


@pytest.mark.parametrize(("phrases", "said", "expected"), FOUND)
def test_an_index_finds_the_same(phrases: str, said: str, expected: str | None) -> None:
    listed = Phrases(phrases)
    index = PhraseIndex([listed, Phrases("late | by the way")])
    sentence = sentence_of(said, index=index)
    found = listed.find(sentence)
    assert (found.group() if found else None) == expected
    assert not expected or holding((sentence,), listed) == [sentence]


def test_the_first_of_several_phrases_is_found_and_every_one_in_order() -> None:
    listed = Phrases("slow | late | overdue")
    sentence = sentence_of("It is overdue, late and slow, and late again.")
    found = listed.find(sentence)
    assert found is not None
    assert found.group() == "overdue"
    assert [match.group() for match in listed.every(sentence)] == ["overdue", "late", "slow", "late"]


def test_a_stem_that_is_too_short_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 4 letters"):
        Phrases("max*").are_in(sentence_of("maximum"))


def test_a_phrase_without_a_word_is_refused() -> None:
    with pytest.raises(ValueError, match="has to be there"):
        Phrases("* [a] ...").are_in(sentence_of("anything"))


def test_every_list_of_the_rules_can_be_compiled_and_is_in_the_index() -> None:
    lists = phrase_index().lists
    assert len(lists) > 40
    for phrases in lists:
        everything = sentence_of("Who decides?")._replace(keys=phrases.keys)
        assert isinstance(phrases.every(everything), list)
