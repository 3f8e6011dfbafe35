"""Authority and economic buyer: who decides, who signs, who holds the money."""

from __future__ import annotations

from collections.abc import Iterator

from engine.model.qualification import Dimension
from engine.rules.heard import Finding, Heard, finding
from engine.rules.hedges import hedged, negated
from engine.rules.people import Mentioned
from engine.rules.phrases import Phrases, holding
from engine.rules.roles import is_executive
from engine.rules.sentence import Sentence, word_set

ANSWER_SENTENCES = 3  # where an answer to a question stands, if there is one

_ACTS = Phrases("""
    decide/decides/decided/deciding | sign/signs/signed/signing | approv* | sign-off
    final/last say/word/decision/call | make/makes the call/decision/final | hold/holds the budget/purse/money
    own/owns the budget/decision/money/number/policy | control/controls the budget/spend*/money
    can/could/will stop/veto/block/kill it/this/that | veto | calls the shots
    has/have/needs/need/must/would_have [to] approve/agree/sign/okay/be_asked/be_comfortable/be_convinced
    green_light/greenlight | countersign* | negotiates/negotiated | pay/pays for it/this/something
    authoris*/authoriz* | release/releases/released [the] money/budget/funds | say yes | says no | in_charge
    responsible for | be_convinced | present/presents that/this/the number/case | my call/decision | up_to_me
    on_board
""")
_GOES_TO = Phrases("""
    goes/go/went/going/take_it/takes_it/took_it/bring_it/brings_it/escalated/escalate_it/up [up] to
    has/have/need/needs to go [up] to | approval/sign-off/signature/okay/ok/blessing/permission/consent from/by/of
    approved/signed/decided/released/authorised/authorized by
    decision/call/budget/money is/lies/sits/rests/stays with/by | run/get it/this/that by/past/through | convince
    report/reports/reporting to
""")
_SELF = Phrases("""
    i/only_i/just_i [*] decide/approve | i/only_i [*] own_the/make_the/hold_the/control_the
    i/i'll have the final/last | i can/may sign/approve/decide | i sign ~those/these/for/up/in/out/sheets/letters
    it's/that's [all] my_call/my_decision/my_budget/up_to_me | my call/decision
    i'm the decision-maker/decision_maker/one_who_decides/one_who_signs/budget_owner/budget_holder
    i don't need anyone/anybody/approval | on my own signature/authority | my own signature
""")
_NOT_SELF = Phrases("""
    not/isn't/wasn't [only/just] my/mine call/decision/budget/to_decide | not/isn't/wasn't up_to_me
    not mine/mine_to | above my paygrade/pay_grade/level/head
    i can't/cannot/don't/do_not/won't/couldn't sign/decide/approve/authorise
    i'm/i_am not the one/decision/person/right | i'm/i_am just/only the/a/one | wouldn't be the person
    not the person | must decide not_me | decide not_me | goes above me | over my head | outside my authority/remit
    i only recommend/advise/evaluate/write
""")
_MONEY_ACT = Phrases("""
    budget* | money | purse | fund/funds | spend* | pay/pays | sign/signs/signed | approv* | countersign* | invest*
    capital | contingency | over/above # | release/releases | final say | last word | decid*
""")
_BARE_SELF = word_set("me myself") | {
    "i do", "just me", "only me", "me alone", "i decide", "it's me", "that's me", "i am", "mainly me", "mostly me",
}  # fmt: skip


def find_authority(heard: Heard) -> Iterator[Finding]:
    """Who decides or signs: the contact, somebody named, or somebody else than the contact."""
    asked = Dimension.AUTHORITY in heard.asked
    relevant = holding(heard.sentences, _SELF, _NOT_SELF, _GOES_TO, _ACTS)
    for position, sentence in enumerate(heard.sentences if asked else relevant):
        if not sentence.told:
            continue
        if asked and sentence.folded.strip(" .!,") in _BARE_SELF:
            yield Finding("the contact decides", 0.75, sentence.text)
            continue
        found = _own(sentence, asked) or _of_others(heard, sentence, asked)
        if found is not None:
            yield found
        elif asked and position < ANSWER_SENTENCES and heard.people_in(sentence):
            yield _named(sentence, heard.people_in(sentence)[0], 0.55)


def find_economic_buyer(heard: Heard) -> Iterator[Finding]:
    """Who holds the money: an executive or a board that signs or decides, or the contact who says so."""
    asked = Dimension.ECONOMIC_BUYER in heard.asked
    for sentence in heard.sentences if asked else holding(heard.sentences, _ACTS, _GOES_TO):
        if not sentence.told:
            continue
        everybody = heard.people_in(sentence)
        acts = _ACTS.find(sentence) or _GOES_TO.find(sentence)
        money = acts is not None and _MONEY_ACT.are_in(sentence)
        holders = [mention for mention in everybody if is_executive(mention.title)]
        if holders and (acts or asked):
            confidence = 0.45 + 0.15 * bool(acts) + 0.15 * money + 0.05 * asked
            yield _named(sentence, holders[0], confidence)
        elif money and everybody and asked:
            yield _named(sentence, everybody[0], 0.55)
        elif acts and _holds_money(heard) and _SELF.are_in(sentence) and not _NOT_SELF.are_in(sentence):
            yield finding(sentence, acts.start(), 0.6, "the contact")


def _own(sentence: Sentence, asked: bool) -> Finding | None:
    denied = _NOT_SELF.find(sentence)
    if denied is not None:
        return finding(sentence, denied.start(), 0.6 + 0.1 * asked, "not the contact alone")
    own = _SELF.find(sentence)
    if own is None or negated(sentence, own.start()):
        return None
    return finding(sentence, own.start(), 0.75 + 0.05 * asked - 0.1 * hedged(sentence))


def _of_others(heard: Heard, sentence: Sentence, asked: bool) -> Finding | None:
    everybody = heard.people_in(sentence)
    if not everybody:
        return None
    route = _GOES_TO.find(sentence)
    target = next((mention for mention in everybody if route and mention.end > route.end()), None)
    if target is not None:
        return _named(sentence, target, 0.65 + 0.1 * asked)
    acts = _ACTS.find(sentence)
    if acts is None or negated(sentence, acts.start()):
        return None
    before = [mention for mention in everybody if mention.start <= acts.start()]
    return _named(sentence, before[0] if before else everybody[0], 0.6 + 0.1 * asked)


def _named(sentence: Sentence, mention: Mentioned, confidence: float) -> Finding:
    return finding(sentence, mention.start, confidence - 0.1 * hedged(sentence), mention.title)


def _holds_money(heard: Heard) -> bool:
    """Whether the contact's title is one that releases money."""
    title = heard.state.metadata.get("context", {}).get("contact_title") or ""
    return bool(title) and is_executive(title)
