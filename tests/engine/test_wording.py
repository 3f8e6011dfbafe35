"""Questions are counted as a listener would count them; jargon is found and put plainly."""

from __future__ import annotations

import pytest

from engine.wording import first_question_only, jargon, questions, without_jargon


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("", ()),
        ("Thanks, that helps.", ()),
        ("What happens then?", ("What happens then?",)),
        ("Three weeks? What happens to the orders in that time?", ("What happens to the orders in that time?",)),
        ("Three weeks?", ("Three weeks?",)),
        (
            "It costs 3.5 FTE. Who notices it first on Monday? And who pays for all of it?",
            ("Who notices it first on Monday?", "And who pays for all of it?"),
        ),
        ('So you said "why would we change that?" and then nothing moved.', ()),
        ("What's the budget? Who signs?", ("What's the budget?", "Who signs?")),
        ("Who signs this off? and when would it be?", ("Who signs this off?", "and when would it be?")),
        ("You did what at night?!", ("You did what at night?!",)),
        ("预算是多少？谁来决定？", ("谁来决定?",)),
        (
            "How do you see it?\nWhat would have to change for you?",
            ("How do you see it?", "What would have to change for you?"),
        ),
    ],
)
def test_questions_of_a_message(text: str, asked: tuple[str, ...]) -> None:
    assert questions(text) == asked


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("One thing. Who signs such things off? And when would that be?", "One thing. Who signs such things off?"),
        ("Who signs such things off with you?", "Who signs such things off with you?"),
        (
            "Two days? How do you cover for that today? What does it cost you in the end?",
            "Two days? How do you cover for that today?",
        ),
        ("Who signs? When? How much?", "Who signs?"),
        ("ما هي الميزانية المتاحة لديكم؟ ومن يتخذ القرار في النهاية؟", "ما هي الميزانية المتاحة لديكم?"),
    ],
)
def test_only_the_first_question_is_kept(text: str, kept: str) -> None:
    assert first_question_only(text) == kept


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("What are your pain points there?", "What are your problems there?"),
        ("Who is the economic buyer?", "Who is the person who releases the money?"),
        ("For MEDDIC I need a champion. Who is it?", None),
        ("How painful is that?", "How painful is that?"),
        ("In MEDDICC terms, who decides?", None),
        ("A few calibrated questions: who decides?", None),
        ("Thanks, Ms Voss. Who decides?", "Thanks, Ms Voss. Who decides?"),
    ],
)
def test_jargon_is_put_plainly_or_given_up(text: str, plain: str | None) -> None:
    assert without_jargon(text) == plain
    assert bool(jargon(text)) is (plain != text)
