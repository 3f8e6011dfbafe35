"""What the seller's last message asked about, so that a bare "me" or "Q3" can be understood as an answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from engine.model.conversation import Speaker, Turn
from engine.model.qualification import Dimension
from engine.rules.phrases import Phrases
from engine.rules.sentence import Index, fold, sentence_of

LOOK_BACK = 4  # turns; further back nobody is still answering
MAX_CHARACTERS = 4_000  # of the seller's message, its end

_SENTENCE = re.compile(r"[^.!?\n]+[.!?\n]*")
ABOUT: dict[Dimension, Phrases] = {
    Dimension.BUDGET: Phrases("""
    budget* | set_aside/put_aside | number set | funding | afford* | in/within [your] reach | price_range
    earmark* | spend/spending on/for/this | money for/to | what would you pay
"""),
    Dimension.AUTHORITY: Phrases("""
    who [else] ** decide*/sign*/approve*/own/owns/has_to/need/needs/would/makes/besides/sits/gets/should | who else
    sign-off/sign_off | decides/decide | your call/decision | approv* | head_office | go_up/goes_up | only/just you
    on_your_own | whose
"""),
    Dimension.TIMELINE: Phrases("""
    when do/does/would/will/is/are/did/can/should/must | and_when | by_when | deadline* | date/dates | timeline*
    how_soon | timeframe/time_frame | go-live/go_live | this_year | expire* | roll_over | renew*
"""),
    Dimension.METRICS: Phrases("""
    how many/much/long/often/late/fast/big/far/bad | percent* | roughly | cost_you/costs_you | cycle_time
    volume/volumes | what's/what_is the number/rate/figure/average | baseline | mean_or
"""),
    Dimension.DECISION_PROCESS: Phrases("""
    decision/buying/approval/procurement process | next step/steps | steps | evaluat* | committee | agenda | board
    how do/does/would/will ** decide/decision/buy/choose/approve/happen | what happens next/after/then | tender*
    who [else] gets involved
"""),
    Dimension.DECISION_CRITERIA: Phrases("""
    criteria | matters/matter most | important to | looking for | must-have/must-haves | deal-breaker/dealbreaker
    what would you/it/he/she/they need/have/take/want/like | need to see/believe | comfortable
    want_to_see/wants_to_see | require* | what else would be | worried about | in scope | rule_out/rules_out
"""),
    Dimension.PAIN: Phrases("""
    problem* | challeng* | issue/issues | goes/went wrong | struggl* | not/isn't working | what happen* | frustrat*
    hard/hardest | would you change | hold/holds [*] up | fall/falls/falling apart/through | bother* | hurt/hurts
    what made/drove | how is/are/do/does ** today/now/at_the_moment/handle/work/find_out
"""),
    Dimension.NEED: Phrases("""
    what do/would/are you [*] need/want/hoping/trying/looking | goal/goals | priorit* | what brings | why_now
    objective/objectives | what would help | something specific | would it help | achieve
"""),
    Dimension.CHAMPION: Phrases("""
    who [else] [*] want/wants/cares/supports/benefits/would_back | on your side | in favour/favor
    would he/she/they back | anybody/anyone [else] for_whom/who | speak [up] for
"""),
}


class Asked(NamedTuple):
    """Whether the seller's latest message asks anything, and for which dimensions."""

    anything: bool
    dimensions: frozenset[Dimension]


NOTHING = Asked(False, frozenset())


def asked_about(history: Sequence[Turn], index: Index | None = None) -> Asked:
    """What the questions of the seller's latest message ask for. `index` makes it cheaper to find out."""
    said = next((turn.text for turn in reversed(history[-LOOK_BACK:]) if turn.speaker is Speaker.SELLER), "")
    if "?" not in said:
        return NOTHING
    asking = " ".join(part for part in _SENTENCE.findall(fold(said[-MAX_CHARACTERS:])) if "?" in part)
    questions = sentence_of(asking, asking, index)
    dimensions = {dimension for dimension, phrases in ABOUT.items() if phrases.are_in(questions)}
    if Dimension.AUTHORITY in dimensions:
        dimensions.add(Dimension.ECONOMIC_BUYER)
    return Asked(True, frozenset(dimensions))
