"""Champion: somebody inside who speaks for this, or a contact who moves it on by own effort."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.model.qualification import Dimension
from engine.rules.heard import Finding, Heard, finding
from engine.rules.hedges import hedged, negated
from engine.rules.people import Mentioned
from engine.rules.phrases import Phrases, holding
from engine.rules.sentence import Sentence

NEAR = 40  # characters between a name and what is said of it

_SPEAKS_FOR = Phrases("""
    back/backs/backed me/us/you/this/it | support/supports/supported this/it/us/you/the_idea/the_project
    supportive | champion* | push/pushes/pushed/pushing for/hard/this/it | fight/fights/fighting/fought for
    vouch* | argue/argued for/that | make/makes the case | speak/speaks up for
    want/wants/wanted/prefer/prefers/preferred you/this
    love/loves/loved/like/likes/liked you/this/it/the_demo/the_pilot/the_trial
    love/loves/loved/like/likes/liked your_product/your_system/your_tool/your_approach
    is/are/was/were [*] on_your_side/on_our_side/behind_this/behind_it/in_favour/convinced/sold/a_fan/keen
    is/are/was/were [*] enthusiastic/content/all_for/a_big_fan | on board with | put in a [good] word
    recommend/recommends/recommended you/this/it | the one pushing/driving | driving this
    opened the evaluation/door
""")
_MOVES_IT = Phrases("""
    i/i'll/i'd/i've/i'm_going_to [*] take/took it/this/that to ~be | i/i'll/i'd/i've [*] bring it/this up/to
    i/i'll/i'd/i've [*] raise/pitch/present it/this | i/i'll/i'd/i've [*] fight/argue/argued for
    i/i'll [*] push for/it/this | i/i'll/i'd/i've argued that we | i/i'll/i'd [*] make the case
    i/i'll/i'd [*] sell it/this internally | i/i'll/i'd [*] go to him/her/them
    i/i'll/i'd/i've [*] mention/mentioned it/you/this/that | i/i've told him/her/them/our/my/* about
    i/i'll/i'd [*] introduce/connect you | i/i'll [*] set up a/the meeting/call
    i/i'll/i'd [*] ask/asked for it again | i/i'd ask again | i/i'll/i'd [*] put it/this/you in/on/forward
    i/i'll [*] write a memo | let me introduce/take_it/set/bring/talk_to | count me in | count on me | i want this
""")
_OPPOSES = re.compile(r"\b(?:won't|wouldn't|not|never|don't|doesn't|didn't|can't|couldn't|against|s[ck]eptical)\b")


def find_champion(heard: Heard) -> Iterator[Finding]:
    """Who is for it: a colleague who is said to be so, or the contact who acts for it inside.

    0.55 for a colleague, 0.4 for the contact, 0.1 more with a name; 0.1 more if it was asked, 0.15 less when unsure.
    """
    asked = Dimension.CHAMPION in heard.asked
    for sentence in holding(heard.sentences, _SPEAKS_FOR, _MOVES_IT):
        if not sentence.told:
            continue
        extra = 0.1 * asked - 0.15 * hedged(sentence)
        speaks = _SPEAKS_FOR.find(sentence)
        who = _near(heard, sentence, speaks.start()) if speaks else None
        moves = _MOVES_IT.find(sentence) if who is None else None
        if speaks is not None and who is not None and not _against(sentence, speaks.start()):
            yield finding(sentence, speaks.start(), 0.55 + extra, who.title)
        elif moves is not None and not _against(sentence, moves.start() + 3):
            named = 0.1 * bool(heard.people_in(sentence))
            yield finding(sentence, moves.start(), 0.4 + named + extra, "the contact")


def _near(heard: Heard, sentence: Sentence, at: int) -> Mentioned | None:
    """The last person named shortly before a position."""
    near = [mention for mention in heard.people_in(sentence) if 0 <= at - mention.end <= NEAR]
    return near[-1] if near else None


def _against(sentence: Sentence, at: int) -> bool:
    return negated(sentence, at) or _OPPOSES.search(sentence.folded, at, at + 30) is not None
