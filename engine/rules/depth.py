"""How deep a message goes: a problem named, its consequences for the business, or what it does to people."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from engine.model.qbs import PainDepthLevel
from engine.rules.hedges import negated
from engine.rules.phrases import Phrases, holding
from engine.rules.sentence import Sentence, word_set

EMOTIONAL_FROM = 1.0
SURE = 0.5

_PROBLEM = Phrases("""
    problem/problems | issue/issues | pain/painful/pains | bottleneck* | challeng* | struggl* | nightmare
    headache* | broken | break_down/breaks_down | broke_down | mess/messy | chaos/chaotic
    fail/fails/failed/failing/failure/failures | error/errors | mistake/mistakes | bug/bugs | crash* | outage*
    downtime | went_down | stocked_out | stock-out/stock-outs | backlog* | overdue | past-due/past_due/past_dues
    delay/delays/delayed | behind schedule/on/plan | missing | waste/wasted/wasting | throwing_away
    scrap/scrapped | rework* | rejects/reject_rate | reject is
    complaint/complaints/complain/complains/complaining | manually | by_hand | on_paper | paper_sheets
    retyp*/re-type/re-typing/types_it/rekey*/re-key/re-keying | copy_and_paste/copy-paste | double_entry
    duplicate/duplicates/duplicated | workaround/workarounds | firefighting/fire_brigade | too_long
    takes forever/ages/too | takes [*] hours/days/weeks | stuck | blocked
    can't/cannot see/find/keep/tell/get/cope/track/scale/prove/trust | could_not/couldn't find/see/cope
    nobody/no_one knows/can/looks/checks/opened | no visibility/overview | don't know where/who/what/how/which/why
    fall/falls/falling/fell through/apart/behind | slip/slips/slipped through
    short-staffed/short-handed/understaffed/overloaded/overwhelm* | short of | # short | resign* | have_left
    left_since | handed [in] his/her/their notice | hand in his/her/their notice | write-off/write-offs/written_off
    destroyed | damaged | stolen/nicked | gone/went missing | leak/leaks/leaked/leaking | breach/breaches/breached
    incident/incidents | fraud | accident/accidents | penalty/penalties | fined/fines | surcharge/surcharges
    airfreight* | expedit* | audit remark/finding | non-compliant/noncompliant | condemned | lapsed
    out of [*] support | outdated/obsolete | unreliable | not_working | doesn't/don't/didn't/won't work | won't let
    runs_not | not_proved | unfilled | vacancy/vacancies | gap/gaps in/between | mute/muted | ignored | inaccurate
    inconsistent | complicated | cumbersome | clunky | tedious | annoying | frustrat* | overspend/overspending
    costs/cost/costing us/me | over_budget | churn* | leaving_us | shut_down | chase/chases/chasing
    postpone/postpones/postponed | no_time | silo/silos | scattered | different_answers | i/we/they lose/lost
    we're/we_are losing
""")
# These name a problem only where something else does too.
_WEAK = Phrases("""
    late ~reply/answer/for/last | short | manual | paper | spreadsheet/spreadsheets | left | wrong | lost
    lose/loses/losing | miss/missed/misses | quit | overtime | turnover | slow/slowly | shut | legacy | remark
    finding | cancelled/canceled | expensive | unclear
""")
_DENIES_AFTER = re.compile(r"^\W{0,2}(?:\w+ )?(?:is|are|was|were)(?:n't| not)\b|^ (?:free|here)\b")
_FINE = re.compile(
    r"\b(?:no|not a|isn't a|without|never a|nobody would say it's a) (?:\w+ )?(?:problems?|issues?|complaints?)\b"
)
_DENIES_ITSELF = (
    "no ",
    "not ",
    "can't",
    "cannot",
    "could",
    "don't",
    "doesn't",
    "didn't",
    "won't",
    "nobody",
    "runs not",
)

_CONSEQUENCE = Phrases("""
    cost/costs/costing us/me/them/about/around/roughly/#
    lost/losing/lose/loses [a/the/two/three/our/that] customer/customers
    lost/losing/lose/loses [a/the/two/three/our/that] client/clients/deal/deals/account/accounts/contract/order/orders
    lost/losing/lose/loses [*] sales/revenue/business/money/margin/people/staff/patients | revenue*
    margin/margins | profit* | cash/cashflow/cash_flow | ebitda | covenant/covenants
    write-off/write-offs/written_off | penalty/penalties | fined/fines | surcharge* | insurance/insurer | liabilit*
    lawsuit* | sued | invoice_value | overtime | downtime | hours lost | idle | stood still/from/idle
    production stop* | line down/stop* | went_down | ran_out | stocked_out | destroyed | quarantined
    customer/customers left/leaving/complain*/threat*/cancel*/had/has/sorted/waiting | complaint/complaints
    reviews | reputation | churn* | have/has left | people leave/leaving/left | quit | resign* | sick_leave
    burnout/burned_out/burnt_out | handed [in] his/her/their notice | hand in his/her/their notice
    regulator/regulators | examiner/examiners | inspector* | auditor/auditors | audit | corrective_action
    missed the | patients waited/whose/harmed | patient_safety | breach* | excluded | a_year in
    waste/wasted/wasting | half of/the/their/her/his/my day/week/time | spend half | headcount | airfreight*
    condemned | agency | pay/paying for/twice/extra | past_due/past_dues | overdue | on our cost/costs
""")
_MONEY = re.compile(r"[€$£¥₹]\s?\d|\b\d[\d.,]*\s?(?:k|m|million|thousand|grand|eur|usd|gbp|euros?|dollars?)\b")
_PRICE_WORDS = word_set("""
    budget price prices pricing quote quoted offer licence license subscription salary approved approve approves
    sign signs approval allocated funding spend fee fees term contract invest investment proposal discount
""")

_FEELING = Phrases("""
    angry | furious | ashamed | humiliat* | embarrass* | heartbr* | heart to | cried/crying/tears | terrified
    scared | afraid | dread* | exhausted/exhausting | burned_out/burnt_out/burned-out/burnt-out | desperate
    hopeless | helpless | devastat* | miserable | sick of | tired of | fed_up | hate/hates/hated | can't sleep
    sleepless | lie/lying awake | awake at night | up at night | keeps me up | at 3am/3_am
    three in the night/morning | nightmare | breaking_point | at my wits | losing my mind
    drives/drive me mad/crazy/nuts | kills me | breaks my heart | guilty | my fault | blame myself
    let them/her/him/people/my_team down | proud | worst day/week/part | sitting on the floor | my job is on
    couldn't drive/breathe/look/speak/sleep | lose my job | lost my temper | laughed at me | no good answer
    not so nice | look/looked [like] a_fool/stupid/incompetent
    feel/feels/feeling [*] bad/terrible/awful/sick/stupid/alone/responsible | made me feel | gets to me/us/people
    gets me ~to | shook me | haunt* | drowning | breathing_down my neck | can't ask more
    never [want_to] again/forget
""")
_MILD = Phrases("""
    worry/worried/worries/worrying | frustrat* | annoy* | upset/upsetting | nervous | anxious | stress*
    disappoint* | unfair | painful | pressure | surprised | shocked | relieved | uncomfortable | overwhelm*
    apologised/apologized | mad | awful | terrible | horrible | struggl* | concerned | feel/feels/feeling/felt
    honest/honestly | to my face | keep thinking | scary | trust | sad | sorry for | hell | damn | unbearable
    drained | alone | goes quiet | hurt/hurts | not/weren't angry | doesn't trust | stopped asking | at night
    my husband/wife/kids | the_kids | sunday/sundays
""")
_POLITE = Phrases("""
    i'm_afraid i/we/that/so/not | don't/not_to worry | no worries | feel free | to_be_honest | i feel like
    gets_me_to | sorry to/for/about hear/the_late/the_delay/the_slow
""")
_FIRST_PERSON = word_set("i i'm i've i'd me my myself we our us im ive")


class Problem(NamedTuple):
    """A sentence that names a problem, where, how sure that is, and whether it names a consequence too."""

    sentence: Sentence
    start: int
    confidence: float
    consequence: bool


def problems(sentences: Sequence[Sentence]) -> tuple[Problem, ...]:
    """The problems that the customer says there are, in order.

    Denied and supposed ones are none, nor is a single weak word in a whole message.
    """
    found = [
        problem
        for sentence in holding(sentences, _PROBLEM, _WEAK)
        if not (sentence.to_machine or sentence.supposes) and (problem := _problem(sentence)) is not None
    ]
    return () if len(found) == 1 and found[0].confidence < SURE else tuple(found)


def feeling(sentences: Sequence[Sentence]) -> float:
    """How much emotion a message shows.

    1 for a sentence with a strong word, 1.6 with several, 0.4 with a mild one; 0.7 of that where it is not the
    speaker's own.
    """
    score = 0.0
    for sentence in holding(sentences, _FEELING, _MILD):
        if sentence.to_machine:
            continue
        polite = _POLITE.find(sentence)
        strong = [match for match in _FEELING.every(sentence) if _is_felt(sentence, match, polite)]
        mild = not polite and not strong and (_MILD.are_in(sentence) or _FEELING.are_in(sentence))
        own = 0.7 if sentence.words.isdisjoint(_FIRST_PERSON) else 1.0
        score += own * (1.0 * bool(strong) + 0.6 * (len(strong) > 1) + 0.4 * mild)
    return score


def _is_felt(sentence: Sentence, match: re.Match[str], polite: re.Match[str] | None) -> bool:
    """Whether a strong word is meant: not "I'm afraid we have to move it", not "I'm not angry"."""
    if polite is not None and polite.start() <= match.start() < polite.end():
        return False
    return " " in match.group() or not negated(sentence, match.start())


def depth(sentences: Sequence[Sentence], found: Sequence[Problem], emotion: float) -> PainDepthLevel:
    """The depth that one message reaches: feelings about a problem, consequences of it, a problem, or nothing.

    The consequence stands in the sentence of the problem, or elsewhere in the message as a sum of money.
    """
    if emotion >= EMOTIONAL_FROM and (found or emotion >= 1.6 * EMOTIONAL_FROM):
        return PainDepthLevel.EMOTIONAL
    if not found:
        return PainDepthLevel.NOT_EXPLORED
    if any(problem.consequence and problem.confidence >= SURE for problem in found) or any(map(_costs, sentences)):
        return PainDepthLevel.BUSINESS_IMPACT
    return PainDepthLevel.SURFACE


def _problem(sentence: Sentence) -> Problem | None:
    strong = next((match for match in _PROBLEM.every(sentence) if not _denied(sentence, match)), None)
    weak = [] if strong else [match for match in _WEAK.every(sentence) if not _denied(sentence, match)]
    if strong is None and not weak:
        return None
    consequence = _CONSEQUENCE.are_in(sentence) or _MONEY.search(sentence.folded) is not None
    confidence = 0.45 + 0.2 * (strong is not None) + 0.1 * (len(weak) > 1) + 0.15 * consequence - 0.2 * sentence.asks
    return Problem(sentence, (strong or weak[0]).start(), confidence, consequence)


def _denied(sentence: Sentence, match: re.Match[str]) -> bool:
    if _FINE.search(sentence.folded, max(0, match.start() - 40), match.end()):
        return True
    denies_itself = match.group().startswith(_DENIES_ITSELF)
    after = _DENIES_AFTER.match(sentence.folded[match.end() : match.end() + 30])
    return after is not None or (not denies_itself and negated(sentence, match.start()))


def _costs(sentence: Sentence) -> bool:
    """Whether a sentence tells of money that is neither a price nor a budget."""
    return sentence.told and sentence.words.isdisjoint(_PRICE_WORDS) and _MONEY.search(sentence.folded) is not None
