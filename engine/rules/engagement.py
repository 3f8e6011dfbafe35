"""Where the customer's energy is: elaborating, matter-of-fact, resisting, changing the topic, or showing emotion."""

from __future__ import annotations

import re

from engine.model.conversation import Channel
from engine.model.qbs import EngagementSignal
from engine.rules.depth import EMOTIONAL_FROM
from engine.rules.heard import Heard
from engine.rules.phrases import Phrases, holding
from engine.rules.sentence import Sentence, word_set
from engine.rules.timing import has_date

# So many words are an elaboration in this channel; a factual answer is well below.
ELABORATE_WORDS = {Channel.CHAT: 45, Channel.CALL: 75, Channel.EMAIL: 120, None: 75}
RESISTANT_FROM = 1.0
ENERGY_FROM = 1.0
SHORT_REPLY = 15  # words
MOST_SENTENCES = 40  # of a very long message; the rest would not change the picture

_REFUSES = Phrases("""
    not interested | no interest | not a/the good/right time | not [a/our] priority
    we're [all] fine/good/happy/set/covered | not now/today | not this week/month/quarter/year | when it calms down
    maybe later/next_year/another_time/some_time
    i'll/we'll see/think_about_it/get_back_to_you/let_you_know/be_in_touch/have_a_look | call me [back] in/next
    busy | swamped | slammed | whatever | if_you_say_so | no_comment | so_what
    send me/us/over ** deck/brochure/info/information/material/email/pdf/something/pricing/details/slides
    put it in [an] email | no demo/call/calls/meeting/slides/thanks/thank_you/one-pager/brochure/pitch
    don't push/sell/pitch/bother/have_time | don't need this/that/it/your/any/another | don't want a/the
    don't want to talk/discuss/get_into/go_into/see | do_not send/contact/call/need/want/have_time
    stop calling/emailing/writing/asking/selling/chasing/it/there
    please don't/do_not/no/stop call*/contact*/email*/push*/sell*/use/asking/start/telephone/phone
    please don't/do_not/stop send/sending ~him/her/them | take me off | remove me | unsubscribe | must ask that you
    must ask you | not able/in_a_position/allowed/going/willing/prepared to discuss/share/say/tell
    not able/in_a_position/allowed/going/willing/prepared to add/disclose/answer/hold/go_into/get_into/comment
    can't/cannot share/say/discuss/tell_you/go_into/talk_about/disclose/comment
    i/we won't discuss/share/be/go_into/tell | are/is not disclosed | none of your | not your business/concern
    why do you ask/need/want | what does that/this have to do | i'd rather not | rather not say | let's leave it
    leave it/that at_that/alone/there | skip the/that/it | don't do that/heads/this
    that's not me/my/for_me/what_i | not [really] my problem/area/department/job | no_way | no_off_the_record
    you're/you_are not listening | i already/just told/said/answered | as i said/wrote | asked and answered
    get to the point | too many questions | too salesy/pushy | sales pitch/talk/trick | salespitch | another vendor
    you all say | everyone says that | heard it/that [all] before | promised ** too | waste of | not convinced
    i doubt | not good enough | don't see the/why/how/what/any | don't believe | what's the catch
    how is that a/any | no longer interested
""")
_REFUSES_FLATLY = Phrases("""
    not interested | no interest | no longer interested | stop calling/emailing/writing/asking/selling/chasing
    must ask that you | must ask you | do_not send/contact/call/need/want | take me off | remove me | unsubscribe
    please don't/do_not/stop call*/contact*/email*/push*/sell*/use/asking | not in_a_position to | none of your
    not your business | i'd rather not | rather not say | just send | send me a | not disclosed | no demo
    waste of | get to the point | not able to hold/discuss/share/disclose | you're/you_are not listening
    no_off_the_record | sales pitch/talk/trick | don't do that | when it calms down | not good enough
""")
_LEAVES = Phrases("""
    got/gotta/have/need/has [to] jump/dash/run/drop/go ~to/through/with/for/ahead/back/up/into/live/over
    in a rush/hurry | another_time | gotta
""")
_EVASIVE = word_set("""
    ok okay k sure maybe fine whatever dunno depends busy hm hmm nah meh pass some perhaps possibly idk later fair
    no thanks
""")
_AGREES = word_set("yes yeah yep great thanks thank perfect good agreed deal absolutely exactly right correct")
_JOKE = re.compile(
    r"\b(?:lol|haha\w*|hehe|jk|just kidding|joking)\b|[\U0001f600-\U0001f64f\U0001f923\U0001f92a]|;\)|:d\b",
    re.IGNORECASE,
)
_SHIFTS = Phrases("""
    by_the_way | btw | ^something_else | ^another_thing | one_more_thing | different question/topic/subject
    on_another_note | ^separately | changing [the] subject/topic | unrelated | before_i_forget | while_i_have_you
    other_topic | ^speaking_of | one_new_thing | what i really/actually wanted/want/came
    really/actually want/wanted/like to ask/talk/know [*] about | are you lot/guys/based/still in/from/based
    do you [also] do anything | did you see/hear/watch | how's the weather | on_the_news | that_reminds_me
    can_we_talk_about | let_me_ask_you_something
""")
_ABOUT_THE_OFFER = Phrases("""
    what's/what_is/what_does/what_would/whats ** cost/price/charge/pricing/fee | how much is/for/do/does/would
    send ** price/prices/pricing/quote/offer
    do/does/can/could/will/are you/it/your [also] integrate/support/handle/connect
    do/does/can/could/will/are you/it/your [also] work/run/have/cover/offer/import/export/sync/host/hosted/scale
    how does it/your/the_tool/the_system | how_much | in_which_languages
    is there a/an [*] api/trial/demo/integration
""")
_OPENS_UP = Phrases("""
    i'll be honest | to_be_honest | honestly | let me tell/explain/give | the thing is
    what really/i_keep/bothers/worries/gets | the real problem/issue | i'll tell you | you know what
    for example/instance | just last | funny you | glad you asked | last week/month/year/friday/monday | exactly
    absolutely | love it/that/this | great question | that's it/right/exactly | oh_god | since i'm at it | i_mean
    can you imagine | you can imagine | not kidding | every single | all the time | the whole | believe me
    thing that
""")


def engagement(heard: Heard) -> EngagementSignal:
    """One signal for the message: emotion before resistance, resistance before a new topic, then energy.

    Resistance is weighed against how much the customer gives all the same: a long, concrete answer with a "don't
    push" in it is not resistance.
    """
    if heard.emotion >= EMOTIONAL_FROM:
        return EngagementSignal.EMOTIONAL_LANGUAGE
    energy = _energy(heard)
    if _resistance(heard) >= RESISTANT_FROM + max(0.0, energy - 0.6):
        return EngagementSignal.RESISTANT
    if shifts_topic(heard):
        return EngagementSignal.TOPIC_SHIFT if energy < 1.5 * ENERGY_FROM else EngagementSignal.HIGH_ENERGY
    return EngagementSignal.HIGH_ENERGY if energy >= ENERGY_FROM else EngagementSignal.FACTUAL


def shifts_topic(heard: Heard) -> bool:
    """Whether the customer turns to something that was not asked, or answers a question with nothing but another."""
    if any(_SHIFTS.are_in(sentence) for sentence in holding(heard.sentences[:MOST_SENTENCES], _SHIFTS)):
        return True
    only_asks = bool(heard.sentences) and all(_asks(sentence) for sentence in heard.sentences)
    return heard.seller_asked and only_asks and heard.word_count <= SHORT_REPLY


def leaves(heard: Heard) -> bool:
    """Whether the customer has to go."""
    return any(_LEAVES.are_in(sentence) for sentence in heard.sentences[-3:])


def asks_about_the_offer(heard: Heard) -> bool:
    """Whether the customer wants to know what it costs or does."""
    about_it = holding(heard.sentences[:MOST_SENTENCES], _ABOUT_THE_OFFER)
    return any(_asks(sentence) and _ABOUT_THE_OFFER.are_in(sentence) for sentence in about_it)


def _asks(sentence: Sentence) -> bool:
    return sentence.asks or sentence.folded.startswith(("what's it cost", "whats it cost", "how much", "what does"))


def _energy(heard: Heard) -> float:
    length = heard.word_count / ELABORATE_WORDS[heard.channel]
    sentences = heard.sentences[:MOST_SENTENCES]
    opens_up = sum(_OPENS_UP.are_in(sentence) for sentence in holding(sentences, _OPENS_UP))
    concrete = sum(bool(heard.quantities_in(sentence)) for sentence in sentences[:12]) if length > 0.4 else 0
    exclaimed = heard.turn.text.count("!")
    return 0.85 * length + 0.15 * min(3, exclaimed) + 0.15 * min(3, opens_up) + 0.06 * min(4, concrete)


def _resistance(heard: Heard) -> float:
    score = 0.0
    for sentence in holding(heard.sentences[:MOST_SENTENCES], _REFUSES):
        if _REFUSES.are_in(sentence):
            score += 0.6 + 0.5 * _REFUSES_FLATLY.are_in(sentence)
    if heard.word_count <= SHORT_REPLY and not any(_gives_something(heard, sentence) for sentence in heard.sentences):
        score += 0.6 * (_JOKE.search(heard.turn.text) is not None) + 0.4 * leaves(heard)
        score += 0.45 * (score > 0)
    return score + 0.4 * _says_next_to_nothing(heard)


def _gives_something(heard: Heard, sentence: Sentence) -> bool:
    """Whether even a short reply has a figure, a date or a yes in it."""
    return not sentence.words.isdisjoint(_AGREES) or has_date(sentence) or bool(heard.quantities_in(sentence))


def _says_next_to_nothing(heard: Heard) -> bool:
    if heard.word_count > 3:
        return False
    words = [word for sentence in heard.sentences for word in sentence.words]
    return bool(words) and all(word in _EVASIVE for word in words)
