"""How the rules react to what a customer said, before they ask: in writing, in a chat, on a call.

Every reaction is a sentence or two that stands on its own and promises only what the sender alone can keep. `{said}` is
the customer's own words, verbatim.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum

from engine.model.conversation import Channel, Speaker, Turn


class Reaction(StrEnum):
    """What in a message is reacted to."""

    QUOTED = "quoted"  # a problem, or another clause that tells something
    NOTED = "noted"  # a fact worth writing down
    OPENED_UP = "opened_up"  # it touches them
    LIMIT = "limit"  # "no demo, please"
    PRICE = "price"  # they asked what it costs
    REQUEST = "request"  # they asked for something to be done
    ASKED = "asked"  # they asked something that can be said back
    ASKED_MORE = "asked_more"  # they asked something too long to be said back
    LEAVING = "leaving"  # they have to go
    FIGURES = "figures"  # they gave figures
    MONEY = "money"  # they spoke of money
    DECIDING = "deciding"  # they said who or what decides
    SHORT = "short"  # a word or two
    NOTHING = "nothing"  # nothing to take up


_E, _CHAT, _CALL = Channel.EMAIL, Channel.CHAT, Channel.CALL

WORDINGS: Mapping[tuple[Reaction, Channel], tuple[str, ...]] = {
    (Reaction.QUOTED, _E): (
        'The line that stays with me is "{said}".',
        'You wrote "{said}". That tells me more than a report would.',
        'I read one line twice: "{said}".',
        '"{said}" says a good deal about how this really runs.',
        'If I had to underline one thing, it would be "{said}".',
    ),
    (Reaction.QUOTED, _CHAT): (
        '"{said}" says a lot.',
        'Okay, "{said}". I can picture that.',
        'Thanks, "{said}" makes it clear.',
        "\"{said}\": that's the part I'd want to get right.",
    ),
    (Reaction.QUOTED, _CALL): (
        'You said "{said}". Let me stay with that for a second.',
        '"{said}." That\'s the bit I wrote down.',
        'So, "{said}." I can picture that.',
        '"{said}." Right, that says a lot.',
    ),
    (Reaction.NOTED, _E): (
        'I have noted "{said}" the way you put it.',
        'Thank you, "{said}" is good to know before I say anything about us.',
        '"{said}" is written down and will not get lost.',
    ),
    (Reaction.NOTED, _CHAT): (
        'Noted: "{said}".',
        'Good to know, "{said}".',
        '"{said}", got it.',
    ),
    (Reaction.NOTED, _CALL): (
        '"{said}." Okay, I\'ve got that down.',
        'Good, "{said}". That\'s worth knowing.',
        '"{said}." Noted, as you said it.',
    ),
    (Reaction.OPENED_UP, _E): (
        "Thank you for writing that down. I would rather take it in than answer it too quickly.",
        "Thank you for being so open about this. I will not file it as a line in a form.",
        "I read that more than once. Thank you for putting it so plainly.",
        "Thank you for telling me how it really is. That helps me more than any figure.",
    ),
    (Reaction.OPENED_UP, _CHAT): (
        "Thank you for telling me that.",
        "I won't rush past that. Thanks for being so open.",
        "Thanks for saying it the way it is.",
    ),
    (Reaction.OPENED_UP, _CALL): (
        "Thank you for telling me that.",
        "I'm glad you said that out loud.",
        "Thank you for being so open about it. I won't rush past that.",
    ),
    (Reaction.LIMIT, _E): (
        "Understood, and I will keep to that.",
        "That is clear, and I will stick to it.",
        "Fair, and you won't have to say it twice.",
    ),
    (Reaction.LIMIT, _CHAT): (
        "Understood, I'll keep to that.",
        "Fair, noted.",
        "Clear, you won't have to say it twice.",
    ),
    (Reaction.LIMIT, _CALL): ("Fair enough, I'll keep to that.", "Okay, understood.", "Right, I won't."),
    (Reaction.PRICE, _E): (
        "On the price you will get a straight answer from me, in writing.",
        "You asked what it costs. You will have that in plain figures, not in a brochure.",
    ),
    (Reaction.PRICE, _CHAT): (
        "On the price: straight answer coming.",
        "Price is a fair question, you'll get a plain figure from me.",
    ),
    (Reaction.PRICE, _CALL): (
        "On the price, I'll give you a straight answer, and in writing too.",
        "The price is a fair question. You'll get a plain figure, not a maybe.",
    ),
    (Reaction.REQUEST, _E): (
        'On "{said}" I will come back to you separately.',
        'As for "{said}", let me make sure of it first; you will have it in writing.',
    ),
    (Reaction.REQUEST, _CHAT): (
        "Let me check on that and come right back.",
        "On that: let me make sure, then you'll hear.",
    ),
    (Reaction.REQUEST, _CALL): (
        "Let me make sure of that and confirm it to you.",
        "I'll check on that and let you know.",
    ),
    (Reaction.ASKED, _E): (
        'On your question, "{said}": you will have a straight answer from me, also if it is a no.',
        'Your question, "{said}", deserves a proper answer and will get one in writing.',
        'On "{said}" I would rather check than guess, so that the answer holds.',
    ),
    (Reaction.ASKED, _CHAT): (
        'On "{said}": straight answer coming, even if it\'s a no.',
        "\"{said}\" is a fair question. I'd rather check than guess, then you'll have it.",
    ),
    (Reaction.ASKED, _CALL): (
        "Good question. I'd rather check that than guess, so you'll have the answer in writing.",
        "You'll get a straight answer on that, even if it's a no.",
    ),
    (Reaction.ASKED_MORE, _E): (
        "You will get straight answers to what you asked, also where the answer is no.",
        "What you asked deserves more than a guess, so the answers will come in writing.",
    ),
    (Reaction.ASKED_MORE, _CHAT): (
        "On what you asked: straight answer coming, even if it's a no.",
        "I'd rather check that than guess, then you'll have it.",
    ),
    (Reaction.ASKED_MORE, _CALL): (
        "I'd rather check that than guess, so you'll have the answer in writing.",
        "You'll get a straight answer on that, even if it's a no.",
    ),
    (Reaction.LEAVING, _E): ("This can wait until you have a minute.", "No hurry, answer whenever it suits you."),
    (Reaction.LEAVING, _CHAT): ("Go, this can wait.", "No rush, one thing for when you're back."),
    (Reaction.LEAVING, _CALL): ("I won't keep you, just one thing.", "Of course, go. One thing for next time."),
    (Reaction.FIGURES, _E): (
        "Thank you for the figures. I have taken them down as you gave them and will not round them in our favour.",
        "Your figures are the ones I will work with, not ours.",
        "Thank you for being exact. I will work with that and leave ours out of it.",
    ),
    (Reaction.FIGURES, _CHAT): (
        "Thanks, I'll work with your figures and not with ours.",
        "Got the figures, thanks for being exact.",
        "Thanks, that's down the way you gave it.",
    ),
    (Reaction.FIGURES, _CALL): (
        "Good, I've got the figures down as you gave them.",
        "Okay, your figures then, not ours.",
        "Thanks for being exact about that.",
    ),
    (Reaction.MONEY, _E): (
        "Thank you for being open about the money. I will not read more into it than you said.",
        "I have heard what you said about the money, and I will not take it for more than it is.",
    ),
    (Reaction.MONEY, _CHAT): (
        "Thanks for being open about the money, I won't read more into it.",
        "Heard you on the money.",
    ),
    (Reaction.MONEY, _CALL): (
        "Thanks for being open about the money. I won't hold you to it.",
        "Okay, heard you on the money.",
    ),
    (Reaction.DECIDING, _E): (
        "Thank you for telling me how this gets decided. I will not go around anybody.",
        "It helps to know who is part of this, and that will be respected.",
    ),
    (Reaction.DECIDING, _CHAT): (
        "Good to know how that gets decided, thanks.",
        "Thanks, I won't go around anybody.",
    ),
    (Reaction.DECIDING, _CALL): (
        "Good, now I know how that works on your side.",
        "Thanks. I won't go around anybody.",
    ),
    (Reaction.SHORT, _E): ('"{said}", understood.',),
    (Reaction.SHORT, _CHAT): ("{said}, got it.", "{said}, okay.", "{said}, understood."),
    (Reaction.SHORT, _CALL): ("{said}. Okay.", "{said}, right."),
    (Reaction.NOTHING, _E): ("Thank you, that helps me.", "Thank you for coming back to me."),
    (Reaction.NOTHING, _CHAT): ("Thanks, that helps.", "Okay, thanks."),
    (Reaction.NOTHING, _CALL): ("Okay, that helps.", "Right, thank you."),
}

# After a gentle question in an email to somebody who does not want to be asked.
NO_PRESSURE = (
    "A line is plenty.",
    "No hurry, and no answer is an answer too.",
    "If it is nothing for now, that is fine as well.",
)


def worded(reaction: Reaction, channel: Channel, turns: Sequence[Turn], said: str = "") -> str:
    """The reaction in words that this seller has not used yet in this conversation, as far as there are any."""
    wording = unused(WORDINGS[reaction, channel], turns)
    opens = re.match(r'"?\{said\}', wording) is not None
    return wording.replace("{said}", said[:1].upper() + said[1:] if opens else said)


def unused(wordings: Sequence[str], turns: Sequence[Turn]) -> str:
    """The wording whose turn it is by the length of the conversation, or the next that was not used before."""
    start = (len(turns) // 2) % len(wordings)
    rotated = (*wordings[start:], *wordings[:start])
    before = "\n".join(turn.text for turn in turns if turn.speaker is Speaker.SELLER)
    return next((text for text in rotated if not _is_in(text, before)), rotated[0])


def _is_in(wording: str, text: str) -> bool:
    return all(part.strip() in text for part in wording.split("{said}") if len(part.strip()) > 1)
