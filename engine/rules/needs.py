"""Need: what the customer wants to have solved, and its flat denial."""

from __future__ import annotations

from collections.abc import Iterator

from engine.model.qualification import Dimension
from engine.rules.heard import Finding, Heard, finding
from engine.rules.hedges import hedged, negated
from engine.rules.phrases import Phrases, holding
from engine.rules.reading import gist
from engine.rules.sentence import Sentence

DENIED = 0.9
_DENIED = "denied: "

_WE_NEED = "i/we/they/she/he [really/definitely/urgently/just/also/still] need/needs/want/wants"
_NEED = Phrases(f"""
    {_WE_NEED} ~to/time/money/more_time/a/an | {_WE_NEED} a/an ~minute/moment/second/call/day | i/we require
    {_WE_NEED} to get/fix/find/replace/reduce/improve/stop/cut/solve/change/have/be_able
    need this/it/that/something fixed/solved/done/by/before/now/yesterday | i/we/we're/i'm [*] looking for/to/at
    i'm/we're/i_am/we_are [*] in_the_market/searching_for/trying_to/hoping_to/aiming_to/interested_in/evaluating
    i'm/we're/i_am/we_are [*] planning_to | i'd/we'd/i_would/we_would like/love ~to/it
    would/i'd/we'd like/love to have/get/be_able/stop/change/replace/see_it/inform_me
    have to replace/find/fix/get_rid/move_off/reduce | must replace/find/fix/reduce/solve/change
    the/our/my goal/aim/objective/priority/idea/plan is/would_be | top_priority | high on the/our/my list
    is in the plan | on the roadmap | would help | could use | been asked for/to | asked for options
    what i/we/i'd/we'd [really/actually] want/need/like | if_you_could get/give/help/solve/take
    i'd be happy with/if | the case rests on | want/wants you/it/that/this to | fixed_yesterday
    stop/prevent that/this/it [from] happening | it's time to/we
    can't go_on/continue/keep like_this/doing | has/needs to change
""")
_SMALL_TALK = Phrases("""
    you to hear | need a day | want to look/talk/ask/say/know/check/sleep/be_clear/be_honest/be_fair
    like to know/ask/talk/hear | like to say/admit | as we/i/you want/like | i want to say
    trying to reach/call/get_hold | do this properly | have_had | what you want | who wants | if you want/need
    you need/want | you'll need | need/needs to run/go/leave/know | don't want/need a/any/your/another/to
    do_not want/need a/any/your/another/to
""")
_DENIAL = Phrases("""
    i/we don't/do_not/no_longer [really] need it/this/that/you/your/anything/one/any/another
    no need for/of/at_all | there's/there_is no [*] need | don't have a/any/the [*] need
    not something/anything we need | why would/should i/we change | not looking for/to
    we/it/everything works/is/are/runs [*] fine/well/good/okay/ok as_it_is/as_we_are/without/today/now
    we're all_set/covered/happy_with/fine_with | nothing [is] wrong with
""")
_UNSURE = Phrases("not_sure/unsure/don't_know/doubt/wonder/no_idea ... need/want/worth/problem/if/whether")


def find_need(heard: Heard) -> Iterator[Finding]:
    """What the customer says to need or want: 0.6, 0.1 more if asked, 0.15 less for a doubt or a question each.

    A denial counts only against a need known before, and then a little more than that one: the last word counts.
    """
    asked = Dimension.NEED in heard.asked
    for sentence in holding(heard.sentences, _DENIAL, _NEED):
        if sentence.supposes or sentence.to_machine:
            continue
        denial = None if sentence.asks else _DENIAL.find(sentence)
        wish = None if denial else _NEED.find(sentence)
        if denial is not None and _may_deny(heard) and not hedged(sentence):
            known = heard.state.qualification.bant.need.confidence
            value = f"{_DENIED}{gist(sentence.text, 90)}"
            yield finding(sentence, denial.start(), max(0.7, min(DENIED, known + 0.05)), value)
        elif wish is not None and _is_meant(sentence, wish.start()):
            yield finding(sentence, wish.start(), 0.6 + 0.1 * asked - 0.15 * hedged(sentence) - 0.15 * sentence.asks)


def _is_meant(sentence: Sentence, at: int) -> bool:
    """Whether a wish is one for a solution: neither small talk nor doubted nor denied."""
    return not (_SMALL_TALK.are_in(sentence) or _UNSURE.are_in(sentence) or negated(sentence, at + 2))


def _may_deny(heard: Heard) -> bool:
    known = heard.state.qualification.bant.need.value
    return known is not None and not known.startswith(_DENIED)
