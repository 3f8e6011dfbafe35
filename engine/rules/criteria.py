"""Decision criteria: what a solution must do or be, what would rule it out, by what it will be judged."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.model.qualification import Dimension
from engine.rules.heard import Finding, Heard, finding
from engine.rules.hedges import hedged
from engine.rules.phrases import Phrases, holding
from engine.rules.reading import clause, gist
from engine.rules.sentence import Sentence, word_set

SHORT_ENOUGH = 110  # characters; a longer sentence is cut to the clause with the criterion

_MUST = Phrases("must ~say/admit/ask | has/have/needs/need/ought to | shall")
_WHO = re.compile(r"\b(\w+(?:'\w+)?) (?:really |also |absolutely |then |would |'d )?$")
LONGEST_SUBJECT = 40  # characters before "must" in which its subject stands
_NOT_A_SOLUTION = word_set("""
    i we he she they who you'll i'd we'd he'd she'd they'd people somebody someone everybody nobody one still then
    also and but to just would only which leaders
""")
_DEMANDS = Phrases("""
    deal-breaker/dealbreaker/deal_breaker | non-negotiable/nonnegotiable | must-have/must-haves | nice_to_have
    required | our requirement/requirements | requirement/requirements is/are that/to/for | mandatory | essential
    critical | crucial | is/most/very important | key thing/point/criterion is/for
    i/we will/would not sign/accept/buy/take | i/we won't sign/accept/buy/take/have
    not going_to/willing_to accept/sign | not_acceptable/unacceptable | acceptable_if | only_if | as_long_as
    provided_that | on_condition | what matters/counts | what i/we care/need/want
    i/we/she/he/they/she'll/he'll/they'll [really/only] care/cares/cared about | looking for in/something
    judge/judged by/on | score/scored/scoring on/by/below/it/against | weighting* | weighted | criteria/criterion
    compare/comparing on/you/it | i_can_stop_here | i can [more_or_less] stop_here | don't [even] bother
    rule/rules it/you out | would be a red/no | a_red | excludes the | can't score it | a_pass | no more than
    at least/most | i'd/we'd/i_would/we_would need/want/like to see/have_seen/know_that/know_how/know_what/believe
    need to see/believe/have_seen | what i need | should be able to | without having_to/needing_to
    integrat* with/to/into | connect/connects/connecting to | work/works with our | compatible
    likes one_page/to_see | wants to see | they'll/will want to know | would like it/to_see | must be | has_to_be
    keep_it_simple | prefer* | ease_of_use | easy_to_use | price is | total_cost | gdpr | soc_2/soc2
    iso_27001/iso27001 | hipaa | data in the eu/uk/us | data_residency | in_the_eu | on-prem/on-premise/on-premises
    outbound_only | single_sign-on/single_sign_on/sso | audit_trail | uptime | sla | service_level
""")
_IF = Phrases("if it/you/your/you're/the/that/this/there")
_CONDITION = re.compile(
    r"\bif (?:it|you|your|you're|the (?:system|tool|software|vendor|solution)|that|this|there)\b.{0,60}?"
    r"\b(?:can't|cannot|isn't|don't|doesn't|aren't|not|below|above|outside|more than|less than|longer|severe)\b"
)
_CAN_YOU = Phrases("""
    do/does/can/could/will/are you/it/the_system/the_tool [also/even] integrate/support/handle/connect/work
    do/does/can/could/will/are you/it/the_system/the_tool [also/even] run/have/cover/offer/import/export/sync
    do/does/can/could/will/are you/it/the_system/the_tool [also/even] comply/host/hosted/scale/read/certified
    in_which_languages/in_which_language | interface/interfaces to | if_you're_hosted
    is it/there [a/an] [*] possible/api/integration/compatible/certified
""")
_SOFT = Phrases(
    "nice_to_have | would like | prefer* | should | if possible | ideally | want/wants to see | like to see"
)
_HARD = Phrases("""
    must | deal-breaker/dealbreaker/deal_breaker | non-negotiable | will not sign/accept | won't sign/accept
    required | mandatory | only_if | has_to | don't [even] bother | excludes | stop_here | rule/rules it/you out
    need to see/have_seen/believe | can't score | weighting* | acceptable_if
""")
_LOGISTICS = Phrases("""
    have/need to run/go/leave/jump/move/look/ask/say/admit/check/think/pay/stop/take/send/get/talk
    must say/admit/run/go/send/ask | have/need to be honest/off/quick/fair
""")
_ABOUT_US = re.compile(r"\b(?:we|i|he|she|they|my|our) (?:\w+ )?$")
_OF_ANYTHING = ("must be", "has to be", "at least", "at most", "no more")


def find_decision_criteria(heard: Heard) -> Iterator[Finding]:
    """What a solution has to satisfy, each criterion in the customer's own words.

    0.5, with 0.15 more for what is a condition, 0.1 if it was asked, 0.1 less for a wish, a question or a doubt each.
    """
    asked = Dimension.DECISION_CRITERIA in heard.asked
    for sentence in holding(heard.sentences, _CAN_YOU, _DEMANDS, _MUST, _IF):
        at = None if sentence.to_machine else _criterion(heard, sentence)
        if at is None:
            continue
        hard = _HARD.are_in(sentence)
        confidence = 0.5 + 0.15 * hard + 0.1 * asked - 0.1 * sentence.asks - 0.1 * hedged(sentence)
        confidence -= 0.1 * (not hard and _SOFT.are_in(sentence))
        value = gist(sentence.text if len(sentence.text) <= SHORT_ENOUGH else clause(sentence, at), 100)
        yield finding(sentence, at, confidence, value)


def _criterion(heard: Heard, sentence: Sentence) -> int | None:
    """Where a criterion stands, if the sentence names one. A supposition about us can be one, and so can a question."""
    question = _CAN_YOU.find(sentence)
    if sentence.asks:
        return question.start() if question else None
    condition = _CONDITION.search(sentence.folded) if _IF.are_in(sentence) else None
    if condition is not None and not (sentence.supposes and sentence.words.isdisjoint(("you", "your", "you're"))):
        return condition.start()
    if sentence.supposes or _LOGISTICS.are_in(sentence):
        return None
    demand = _DEMANDS.find(sentence)
    if demand is not None:
        return None if _about_us(sentence, demand.start()) else demand.start()
    must = _must(heard, sentence)
    return must if must is not None else (question.start() if question else None)


def _must(heard: Heard, sentence: Sentence) -> int | None:
    """Where something that is no person "must" or "has to"."""
    people = {mention.end for mention in heard.people_in(sentence)}
    for found in _MUST.every(sentence):
        who = _WHO.search(sentence.folded, max(0, found.start() - LONGEST_SUBJECT), found.start())
        if who is not None and who[1] not in _NOT_A_SOLUTION and who.end(1) not in people:
            return who.start()
    return None


def _about_us(sentence: Sentence, at: int) -> bool:
    """Whether "must be" and the like is said of the customer's people rather than of a solution."""
    return sentence.folded.startswith(_OF_ANYTHING, at) and (
        _ABOUT_US.search(sentence.folded, max(0, at - 14), at) is not None
    )
