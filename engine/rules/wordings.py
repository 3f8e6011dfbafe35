"""How the questions are worded: something of value first, then one open question, in words a customer would use.

A wording is an opening (a label, an observation, or saying first what the customer may hold against us) and a question.
Openings are complete sentences and questions stand on their own, so that any two of a kind go together.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from engine import memory
from engine.model.qbs import QBSQuestionType, VossDelivery
from engine.model.qualification import Dimension

_P, _I, _S, _C = (
    QBSQuestionType.PAIN_FUNNEL,
    QBSQuestionType.IMPACT,
    QBSQuestionType.SOLUTION,
    QBSQuestionType.CONFIRMATION,
)

_OBSERVATIONS = {
    _P: (
        "I'd rather understand your side before I say anything about ours.",
        "Most people I talk to had a way around this long before they called it a problem.",
        "No two places I've seen do this quite the same way.",
        "The people closest to it usually know more than any report says.",
    ),
    _I: (
        "In what I've seen, the cost of something like this sits in several places at once.",
        "A figure of your own is worth more than any of ours.",
        "I don't want to put a number on this from the outside.",
        "Things like this rarely stay with one team.",
    ),
    _S: (
        "There is more than one way to go about this, and not all of them would fit you.",
        "I'd rather leave something out than sell you what nobody will use.",
        "You know better than I do what survives a normal week with you.",
        "It helps to work back from what you want to see at the end.",
    ),
    _C: (
        "Let me check before I run ahead of you.",
        "I'd like to get this right rather than fast.",
        "I've taken in a good deal, and some of it I may have heard wrong.",
        "You've told me more than I've told you, and I want to use it well.",
    ),
}
_LABELS = {
    _P: (
        "It sounds like there is more behind this than one bad day.",
        "It seems like you've had to make do with this for a while.",
        "It looks like people have found their own ways around it.",
        "It sounds like this takes more out of the week than anyone planned.",
    ),
    _I: (
        "It sounds like this doesn't stop at your desk.",
        "It seems like others notice when this goes wrong.",
        "It looks like the bill for this arrives somewhere else.",
        "It sounds like this costs more than it shows.",
    ),
    _S: (
        "It sounds like you know quite well what good would look like.",
        "It seems like whatever comes next has to fit the way you already work.",
        "It looks like you've seen what happens when something like this is bought in a hurry.",
        "It sounds like it has to hold up on a bad day, not just in a demo.",
    ),
    _C: (
        "It sounds like this matters to more people than you.",
        "It seems like you want to be sure before others are brought in.",
        "It looks like the timing has to work for you and not only for me.",
        "It sounds like you have a fair idea of how this would have to go.",
    ),
}
_AUDITS = (
    "You may well think that I've asked a lot and given little so far.",
    "This probably sounds like the point where the sales talk begins.",
    "You likely have enough people who want half an hour of you.",
    "I may have pushed where I should have listened.",
)
_ACKNOWLEDGEMENTS = (
    "That stays with me.",
    "I wrote that down the way you said it.",
    "I keep coming back to what you just said.",
    "You put that very plainly.",
)

_QUESTIONS: dict[tuple[QBSQuestionType, Dimension], tuple[str, ...]] = {
    (_P, Dimension.NEED): (
        "What made you look into this now?",
        "How does this work on your side today?",
        "What would you like to be different a year from now?",
        "What have you tried so far?",
        "What would have to change for this to be off your list?",
    ),
    (_P, Dimension.PAIN): (
        "What makes it hard to leave things as they are?",
        "What happens on a day when it goes wrong?",
        "What part of it bothers you most?",
        "How does it usually come to light?",
        "What keeps it from getting fixed?",
    ),
    (_P, Dimension.METRICS): (
        "How often does it come up in a normal month?",
        "What do you look at to know whether it was a good week?",
        "How can you tell whether it is getting better or worse?",
        "How long does it usually take until it is put right?",
    ),
    (_P, Dimension.TIMELINE): (
        "What put this on the table now?",
        "What makes this year different from the last one?",
        "What is coming up that makes it harder to put off?",
    ),
    (_P, Dimension.CHAMPION): (
        "What would the people around you say if I asked them?",
        "How do your colleagues see it?",
        "What do the people who deal with it every day tell you?",
    ),
    (_P, Dimension.ECONOMIC_BUYER): (
        "How does this look from one floor up?",
        "What do the people above you hear of it?",
        "How much of it reaches those who look at the figures?",
    ),
    (_P, Dimension.AUTHORITY): (
        "How much of this can you change yourself?",
        "What happened the last time somebody wanted to change it?",
        "What would you do about it if it were only up to you?",
    ),
    (_P, Dimension.BUDGET): (
        "What do you spend today to keep it going the way it is?",
        "How has it been paid for so far?",
        "What has it already cost you to live with it?",
    ),
    (_P, Dimension.DECISION_CRITERIA): (
        "What does today's way do well, that you wouldn't want to lose?",
        "What must not get worse if this changes?",
        "What would you keep exactly as it is?",
    ),
    (_P, Dimension.DECISION_PROCESS): (
        "How did it come about that it is done this way?",
        "What happened the last time this was up for a change?",
        "What usually has to happen before something like this is touched?",
    ),
    (_I, Dimension.METRICS): (
        "What does it come to over a month, in hours or in money?",
        "What does one such case end up costing, all in?",
        "How would you put a figure on it, if you had to?",
        "What number would you use to explain this to somebody who doesn't see it every day?",
        "How far apart are the official figures and the ones you would give me?",
    ),
    (_I, Dimension.PAIN): (
        "What happens further down the line when this goes wrong?",
        "What does it keep you from doing?",
        "How does it reach the people who depend on you?",
        "How much of your week does it take up?",
    ),
    (_I, Dimension.ECONOMIC_BUYER): (
        "How does it show in what your management looks at?",
        "What would the person who carries the cost say about it?",
        "How would you explain it to somebody who only sees the figures?",
    ),
    (_I, Dimension.TIMELINE): (
        "What happens if this is still the same in six months?",
        "How long can it go on like this?",
        "What would waiting another year mean for you?",
    ),
    (_I, Dimension.BUDGET): (
        "What would it be worth to have this gone?",
        "How does what it costs compare with what you would spend to be rid of it?",
        "What would be a sensible amount to spend on it?",
    ),
    (_I, Dimension.NEED): (
        "What becomes possible once this takes care of itself?",
        "How would your week look without it?",
        "What would you do with the time?",
    ),
    (_I, Dimension.CHAMPION): (
        "How do the people closest to it cope?",
        "What would it mean to those who deal with it every day?",
        "How do the others feel the effects of it?",
    ),
    (_I, Dimension.AUTHORITY): (
        "What would it take for this to be seen as more than your problem?",
        "How high up does it land when it goes wrong?",
        "What do the people who decide know about it today?",
    ),
    (_I, Dimension.DECISION_CRITERIA): (
        "What would have to get better for you to call it solved?",
        "How would you rank this among the things you would want to fix?",
        "What is the one effect of it you most want gone?",
    ),
    (_I, Dimension.DECISION_PROCESS): (
        "What would it take for something like this to be moved up the list?",
        "How does a problem like this get attention with you?",
        "What would have to happen before somebody acts on it?",
    ),
    (_S, Dimension.DECISION_CRITERIA): (
        "What would it have to do for you to say it was worth it?",
        "What would rule something out straight away?",
        "What would you need to have seen to be comfortable with it?",
        "How will you tell whether it works, three months in?",
        "What have you seen elsewhere that you would want to avoid?",
    ),
    (_S, Dimension.NEED): (
        "What would you want solved first, if it could only be one thing?",
        "What would be enough to start with?",
        "How would the right version of this look in your day?",
    ),
    (_S, Dimension.TIMELINE): (
        "How soon would it have to work for it to matter?",
        "What has to be in place before you could start?",
        "What date would make this useful rather than late?",
    ),
    (_S, Dimension.DECISION_PROCESS): (
        "How does something like this get from a good idea to a signature with you?",
        "What steps would it have to go through on your side?",
        "What usually slows a thing like this down?",
    ),
    (_S, Dimension.BUDGET): (
        "How are things like this usually paid for with you?",
        "What range would still be easy to defend?",
        "How would the cost have to be split to fit how you plan?",
    ),
    (_S, Dimension.AUTHORITY): (
        "How is something like this decided with you?",
        "What would the others involved need to hear?",
        "How far can you take it before somebody else has to agree?",
    ),
    (_S, Dimension.ECONOMIC_BUYER): (
        "What would the person who signs want to see on one page?",
        "How would you explain it to whoever releases the money?",
        "What would they ask you first, the people who have to pay for it?",
    ),
    (_S, Dimension.METRICS): (
        "What figure would have to move for this to count as a success?",
        "How much better would it have to get to be worth the effort?",
        "What would you measure first?",
    ),
    (_S, Dimension.CHAMPION): (
        "What would the people who have to work with it need from it?",
        "How would your team take to it?",
        "What would make the doubters on your side give it a try?",
    ),
    (_S, Dimension.PAIN): (
        "What should it take off your plate first?",
        "How would you notice that the problem is gone?",
        "What would it have to prevent, above all?",
    ),
    (_C, Dimension.CHAMPION): (
        "What would help you most when you bring it up with the others?",
        "How would you put it to a colleague who has never heard of it?",
        "What do you think the others would say to that?",
        "How can I make it easier for you to talk about this inside?",
        "What would it take for you to be glad you brought it up?",
    ),
    (_C, Dimension.DECISION_PROCESS): (
        "How would you like to go on from here?",
        "What would be a sensible next step from where you sit?",
        "What has to happen before this can move?",
        "What have I missed about how this gets decided?",
        "How could we make the next step a small one?",
    ),
    (_C, Dimension.AUTHORITY): (
        "How many people have to nod before this can go ahead?",
        "How much of this can you settle yourself?",
        "What would the others need from you to agree?",
    ),
    (_C, Dimension.ECONOMIC_BUYER): (
        "How does the person who signs see this today?",
        "What would they want to know before they sign?",
        "How should I put it so that it makes sense to whoever signs?",
    ),
    (_C, Dimension.TIMELINE): (
        "What date are you working towards, if there is one?",
        "How firm is the timing in your mind?",
        "What would make that timing unrealistic?",
    ),
    (_C, Dimension.BUDGET): (
        "What have I got wrong about the money side?",
        "How would this have to be cut to fit what you have?",
        "What amount would be easy for you to say yes to?",
    ),
    (_C, Dimension.DECISION_CRITERIA): (
        "What have I left out of what matters to you?",
        "What would you want to be sure of before going any further?",
        "What would you hold against something like this?",
    ),
    (_C, Dimension.NEED): (
        "What would make this worth your time?",
        "What have I misunderstood so far?",
        "What could I send that you would really read?",
        "What would be useful to you, even if nothing comes of this?",
        "How close am I to what you meant?",
    ),
    (_C, Dimension.METRICS): (
        "What figure would you stand behind yourself?",
        "How close are my figures to yours?",
        "What number should I not use?",
    ),
    (_C, Dimension.PAIN): (
        "What should I understand about it that I haven't asked?",
        "What would you not want me to forget about it?",
        "How long has it been like this?",
        "What would make the next few weeks easier?",
        "What would have to be different for it not to happen again?",
    ),
}

FRESH_UNTIL = 40  # customer messages; later a question may have been asked and forgotten

# Unique by construction: the number stands in the sentence that asks.
_COUNTED = (
    "After {count} messages from you I may still be missing the obvious, so {question}",
    "This was message number {count} from you, and I want to make good use of it: {question}",
    "{count} messages in, let me come at it from another side: {question}",
    "You've written to me {count} times now, and I'd hate to waste the next one, so {question}",
)


def wording(
    question_type: QBSQuestionType,
    target: Dimension,
    delivery: VossDelivery,
    *,
    asked: frozenset[str],
    count: int,
    echo: str | None = None,
) -> str:
    """A wording that is not among `asked` (fingerprints).

    `count` is the number of customer messages before this one; `echo` the customer's own words, for a mirror. A
    question not asked yet comes first, then one that is unique by the count in it: so that nothing is repeated even
    where the memory of what was asked has been shortened.
    """
    openings = openings_for(question_type, delivery, echo=echo)
    questions = _rotated(_QUESTIONS[question_type, target], count)
    fresh = questions if count < FRESH_UNTIL else ()
    opened = (f"{openings[count % len(openings)]} {question}" for question in fresh)
    candidates = itertools.chain(opened, _counted(questions, count))
    return next(text for text in candidates if memory.fingerprint(text) not in asked)


def has_fresh(question_type: QBSQuestionType, target: Dimension, asked: frozenset[str]) -> bool:
    """Whether a question of this type for this target has not been asked yet."""
    return any(memory.fingerprint(question) not in asked for question in _QUESTIONS[question_type, target])


def openings_for(question_type: QBSQuestionType, delivery: VossDelivery, *, echo: str | None = None) -> tuple[str, ...]:
    """The openings of a delivery; for a mirror the customer's own words, where there are any."""
    if delivery is VossDelivery.MIRROR:
        return (_echoed(echo),) if echo else _ACKNOWLEDGEMENTS
    if delivery is VossDelivery.ACCUSATION_AUDIT:
        return _AUDITS
    if delivery is VossDelivery.LABEL:
        return _LABELS[question_type]
    return _OBSERVATIONS[question_type]


def _echoed(echo: str) -> str:
    return f"{echo[:1].upper()}{echo[1:]}..."


def _rotated(questions: tuple[str, ...], count: int) -> tuple[str, ...]:
    start = count % len(questions)
    return questions[start:] + questions[:start]


def _counted(questions: tuple[str, ...], count: int) -> Iterator[str]:
    for number in itertools.count(count + 1):
        for sentence in _COUNTED:
            yield from (sentence.format(count=number, question=_continued(question)) for question in questions)


def _continued(question: str) -> str:
    """A question as it goes on in the middle of a sentence."""
    return question if question.startswith(("I ", "I'")) else f"{question[:1].lower()}{question[1:]}"
