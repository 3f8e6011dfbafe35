"""How deep a message goes: a problem, its consequences, or what it does to people."""

from __future__ import annotations

import pytest

from engine.model.qbs import PainDepthLevel
from engine.rules.depth import depth, feeling, problems
from engine.rules.reading import read

SURFACE, IMPACT, EMOTIONAL, NOTHING = (
    PainDepthLevel.SURFACE,
    PainDepthLevel.BUSINESS_IMPACT,
    PainDepthLevel.EMOTIONAL,
    PainDepthLevel.NOT_EXPLORED,
)


def depth_of(text: str) -> PainDepthLevel:
    sentences = read(text)
    return depth(sentences, problems(sentences), feeling(sentences))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("They retype everything by hand.", SURFACE),
        ("The slow start is a real problem.", SURFACE),
        ("Referrals fall through the cracks.", SURFACE),
        ("It breaks down twice a week.", SURFACE),
        ("Nobody can tell you who has been asked.", SURFACE),
        ("Too long.", SURFACE),
        ("We lost two customers over the delays.", IMPACT),
        ("The delays cost us 40k a year.", IMPACT),
        ("The load was quarantined, then destroyed.", IMPACT),
        ("Two technicians have left since the summer.", IMPACT),
        ("It was the wrong mapping and everything was late. They sent the invoice in January. 61k.", IMPACT),
        ("He laughed at it. I was so angry I couldn't drive, and we lose sheets.", EMOTIONAL),
        ("I haven't got the heart to tell her that it is broken.", EMOTIONAL),
        ("I'm ashamed of the backlog.", EMOTIONAL),
        ("I can't sleep and I hate what it does to my team, I feel guilty.", EMOTIONAL),
        ("It's fine, they manage.", NOTHING),
        ("We have no problems with it.", NOTHING),
        ("That is not a problem.", NOTHING),
        ("Errors are not the issue.", NOTHING),
        ("If we had delays, it would be a problem.", NOTHING),
        ("Sorry for the late reply.", NOTHING),
        ("I'm afraid we have to move Thursday.", NOTHING),
        ("The printer works.", NOTHING),
        ("Short version: yes.", NOTHING),
        ("", NOTHING),
    ],
)
def test_the_depth_of_a_message(said: str, expected: PainDepthLevel) -> None:
    assert depth_of(said) is expected


@pytest.mark.parametrize(
    ("said", "low", "high"),
    [
        ("I was so angry.", 1.0, 1.0),
        ("She is angry.", 0.5, 0.9),
        ("I'm a bit worried.", 0.3, 0.5),
        ("I'm not angry.", 0.1, 0.5),
        ("Don't worry, no worries.", 0.0, 0.0),
        ("The report is ready.", 0.0, 0.0),
    ],
)
def test_emotion_is_weighed_by_word_and_by_whose_it_is(said: str, low: float, high: float) -> None:
    assert low <= feeling(read(said)) <= high


def test_a_problem_knows_where_it_stands_and_whether_it_has_consequences() -> None:
    (problem,) = problems(read("Printing is fine. The portal is broken and costs us 20k."))
    assert problem.sentence.text.startswith("The portal")
    assert problem.sentence.folded[problem.start :].startswith("broken")
    assert problem.consequence
    assert problem.confidence == pytest.approx(0.8)
