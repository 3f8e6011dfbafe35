"""Who was mentioned: people, roles and teams, with what is said to be their role."""

from __future__ import annotations

import pytest

from engine.rules.people import addressed, mentioned, strangers
from engine.rules.reading import read


def everybody(text: str, *known: str) -> list[str]:
    return [mention.title for mention in strangers(mentioned(read(text)), known)]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Over 100k goes to our CFO, Walt Brzezicki, and he signs.", ["Walt Brzezicki (CFO)"]),
        ("Rohan is his name, Rohan Achterberg.", ["Rohan Achterberg"]),
        ("Dr. Mwangi, who heads GI, was not gracious.", ["Dr. Mwangi"]),
        ("Carsten (our MD) negotiated that himself.", ["Carsten (MD)"]),
        ("Oana in IT can stop it.", ["Oana (IT)"]),
        ("Norman. Ops director. He'd pay.", ["Norman (Ops director)"]),
        ("Matron, Josephine, she'd back me.", ["Josephine (Matron)"]),
        ("There's Teresa Okafor, she's our chief credit officer, and a Teresa Lindgren.",
         ["Teresa Okafor (chief credit officer)", "Teresa Lindgren"]),
        ("Mr. Dr. Kienzle, so our managing director, must decide.", ["Mr. Dr. Kienzle (managing director)"]),
        ("Jean-Luc van den Berg will call.", ["Jean-Luc van den Berg"]),
        ("Sanna's notes are with the quality team.", ["Sanna", "quality team"]),
        ("I asked Xiomaraq and she thinks not.", []),
        ("Zyntha says no, she always does.", []),
        ("But Zyntha's team said no and she agrees.", ["Zyntha"]),
        ("our cfo and legal", ["cfo", "legal"]),
        ("the CFO, our CFO, a new CFO", ["CFO"]),
    ],
)  # fmt: skip
def test_everybody_mentioned_is_heard_once(said: str, expected: list[str]) -> None:
    assert everybody(said) == expected


@pytest.mark.parametrize(
    "said",
    [
        "We use SAP and Salesforce in Paris.",
        "Parcelwing promised 9% too.",
        "On Monday in March, Christmas aside.",
        "The Henry report was late.",
        "Nobody knows. One of them asked. Suppose he did.",
        "I'm in Gothenburg, she is in Lagos.",
        "",
        "ALL OF THIS IS LOUD AND HE KNOWS",
    ],
)
def test_products_places_and_days_are_nobody(said: str) -> None:
    assert everybody(said) == []


def test_greetings_and_signatures_are_nobody() -> None:
    text = "Hi Tomás,\n\nHenk is away.\n\nRenske Aldershof"
    assert everybody(text) == ["Henk"]
    assert addressed(read(text)) == ("Tomás",)
    assert addressed(read("Declan,\n\nI have read it.")) == ("Declan",)
    assert addressed(read("We met Henk.")) == ()


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ("Walt Brzezicki", []),
        ("Walt", []),
        ("the CFO", []),
        ("Chief Financial Officer (met once)", []),
        ("Walter Smith", ["Walt Brzezicki (CFO)"]),
        ("CIO", ["Walt Brzezicki (CFO)"]),
    ],
)
def test_whom_we_know_is_no_stranger(known: str, expected: list[str]) -> None:
    assert everybody("It goes to our CFO, Walt Brzezicki.", known) == expected


def test_one_person_is_named_with_all_that_was_said() -> None:
    assert everybody("Walt will ask. He is new. Walt Brzezicki, our CFO, is strict.") == ["Walt Brzezicki (CFO)"]
